import { createDraw } from "../statistics/draw.js";
import type { AbortMeasurement } from "../record/load.js";
import type { Work } from "../measure/measured-run.js";
import type { Treatment } from "../record/index.js";
import { measurementsOn, paced, pequod, secondsPerToken } from "../plan/build-stage.js";
import type { GeneratorPlan, ScenarioGenerator } from "../plan/generator-plan.js";
import {
  defaultSecondsPerToken,
  modeOf,
  workOf,
  type MeasurementOptions,
} from "../measure/measurement-work.js";
import type { MeasurementContext, MeasurementPlan, Scenario } from "../plan/stage.js";
import { summarizeLatencies } from "./summarize-latencies.js";
import { takeTokens } from "./take-tokens.js";
import { aloneGenerations, timeAlone } from "./time-alone.js";
import { waitUntil } from "./wait-until.js";

/** What {@link abortMeasurement} is told. */
export interface AbortOptions extends MeasurementOptions {
  readonly treatment: Treatment;
  /**
   * Tokens that each generation would make. Choose more than twice what the ring
   * holds: a producer that has made them all cannot be stopped.
   */
  readonly tokens: number;
  readonly generations: number;
}

/**
 * What stopping a generation by its `AbortSignal` costs.
 *
 * ```text
 * abort latency = result settled − abort requested
 * wasted tokens = tokens made − tokens delivered
 * ```
 *
 * A stream is aborted while a token is delivered whose index is drawn from the
 * first half. The producer is just about to begin its next step then, and a step
 * that has begun cannot be interrupted: expect latencies in two groups, next to
 * nothing and a whole step. `generate` is aborted at the moment at which that
 * token is expected, anywhere in a step.
 */
export function abortMeasurement(options: AbortOptions): MeasurementPlan {
  const { treatment, tokens, generations } = options;
  const expected = options.expectedSecondsPerToken ?? defaultSecondsPerToken;
  return {
    id: options.id ?? `abort-${treatment}-${tokens}`,
    expectedSeconds:
      tokens * expected * (generations / 4 + (treatment === "generate" ? aloneGenerations : 0)),
    async measure(generator, context) {
      const measured = await measureAborts(generator, options, context);
      return measured === undefined ? {} : { aborts: [measured] };
    },
  };
}

async function measureAborts(
  generator: ScenarioGenerator,
  { treatment, tokens, generations }: AbortOptions,
  context: MeasurementContext,
): Promise<AbortMeasurement | undefined> {
  const { seed, plan, signal } = context;
  const work = workOf(context, tokens);
  const draw = createDraw(seed);
  const delivers = treatment === "stream" || treatment === "streamAsync";
  const aloneNanoseconds = delivers ? 0 : await timeAlone(generator, treatment, work, context);
  if (aloneNanoseconds === undefined) return undefined;
  const aborts: Aborted[] = [];
  let ranToEnd = 0;
  for (let generation = 0; generation < generations; generation += 1) {
    const abortAtIndex = draw.integer(0, Math.max(0, (tokens >> 1) - 1));
    const expectedNanoseconds = (aloneNanoseconds * (abortAtIndex + 1)) / tokens;
    const aborted = await abortOne(generator, treatment, work, {
      context,
      abortAtIndex,
      expectedNanoseconds,
    });
    if (signal?.aborted === true) break;
    if (aborted === undefined) ranToEnd += 1;
    else aborts.push(aborted);
  }
  if (aborts.length === 0) return undefined;
  const wasted = aborts
    .map(({ wastedTokens }) => wastedTokens)
    .filter((count) => count !== undefined);
  const isKnown = wasted.length === aborts.length;
  return {
    ...modeOf(plan, treatment, tokens),
    generations: aborts.length,
    ranToEnd,
    abortLatency: summarizeLatencies(aborts.map(({ latencyNanoseconds }) => latencyNanoseconds)),
    wastedTokens: isKnown ? wasted.reduce((sum, count) => sum + count, 0) : null,
    mostWastedTokens: isKnown ? Math.max(...wasted) : null,
  };
}

interface Aborted {
  readonly latencyNanoseconds: number;
  /** Undefined where nobody knows. */
  readonly wastedTokens: number | undefined;
}

/** Runs and aborts one generation; undefined when its producer was done before. */
async function abortOne(
  generator: ScenarioGenerator,
  treatment: Treatment,
  { prompt, config }: Work,
  {
    context,
    abortAtIndex,
    expectedNanoseconds,
  }: {
    readonly context: MeasurementContext;
    readonly abortAtIndex: number;
    readonly expectedNanoseconds: number;
  },
): Promise<Aborted | undefined> {
  const { clock } = context;
  const controller = new AbortController();
  const settled = new AbortController();
  const either = AbortSignal.any([
    controller.signal,
    ...(context.signal === undefined ? [] : [context.signal]),
  ]);
  let requestedNanoseconds: number | undefined;
  const request = (): void => {
    requestedNanoseconds = clock.nowNanoseconds();
    controller.abort();
  };
  const delivers = treatment === "stream" || treatment === "streamAsync";
  if (!delivers) {
    const dueNanoseconds = clock.nowNanoseconds() + expectedNanoseconds;
    void waitUntil(dueNanoseconds, clock, settled.signal).then(() => {
      if (!settled.signal.aborted) request();
    });
  }
  const work: Work = { prompt, config: { ...config, signal: either } };
  const result = await takeTokens(generator, treatment, work, ({ index }) => {
    if (index === abortAtIndex) request();
  });
  const settledNanoseconds = clock.nowNanoseconds();
  settled.abort();
  const { completionTokens, producedTokens } = result.usage;
  const isDone = (producedTokens ?? completionTokens) >= config.maxTokens;
  if (requestedNanoseconds === undefined || isDone) return undefined;
  return {
    latencyNanoseconds: settledNanoseconds - requestedNanoseconds,
    wastedTokens:
      delivers && producedTokens !== undefined ? producedTokens - completionTokens : undefined,
  };
}

/** The embedded model and a paced engine, aborted in each mode. */
export const abort: Scenario = {
  name: "abort",
  description: "from an abort to the end of a generation, and the tokens made in vain",
  stages: (size) => {
    const generations = { quick: 20, standard: 40, full: 40 }[size];
    const plans = (tokens: number, generator: GeneratorPlan) =>
      (["generate", "stream", "streamAsync"] as const).map((treatment) =>
        abortMeasurement({
          treatment,
          tokens,
          generations,
          expectedSecondsPerToken: secondsPerToken(generator),
        }),
      );
    // More than twice the ring's slots: a producer that has made all tokens cannot be stopped.
    return [
      measurementsOn(pequod("pooled"), plans(600, pequod("pooled"))),
      measurementsOn(paced(100, "pooled"), plans(1000, paced(100, "pooled"))),
    ];
  },
};
