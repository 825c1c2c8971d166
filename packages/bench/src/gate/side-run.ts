import { StreamgaugeError, type GenerationConfig, type Generator } from "@streamgauge/core";
import type { Clock } from "../plan/clock.js";
import { sha256 } from "../run/record-file.js";
import { median } from "../statistics/index.js";
import type { GateMode, GateWork } from "./gate-work.js";
import type { SideRun } from "./side-protocol.js";

/** Tokens of the generation before each measured one, which nobody measures. */
const settlingTokens = 4;

/**
 * Measures one mode once: all generations of the work, one after the other.
 *
 * @param slowdown of `generateStreamAsync`: it is made to take so much longer, a fraction
 * @throws StreamgaugeError `OUTPUT_MISMATCH` when a generation made fewer tokens
 *   than it was asked for, and what the generator throws
 */
export async function measureSide(
  generator: Generator,
  mode: GateMode,
  work: GateWork,
  clock: Clock,
  slowdown = 0,
): Promise<SideRun> {
  const how = work.config ?? { ignoreEos: true, temperature: 0 };
  const config = { ...how, maxTokens: work.tokens, seed: work.seed };
  const endToEnd: number[] = [];
  const firstTokens: number[] = [];
  const ids: number[] = [];
  for (let generation = 0; generation < work.generations; generation += 1) {
    // Whatever ran or slept meanwhile left cold caches and a sleeping worker behind.
    await generator.generate(work.prompt, { ...config, maxTokens: settlingTokens });
    const start = clock.nowNanoseconds();
    const taken = await take[mode](generator, work, config, clock);
    endToEnd.push(clock.nowNanoseconds() - start);
    if (taken.firstAt !== undefined) firstTokens.push(taken.firstAt - start);
    requireAll(mode, taken.ids.length, work.tokens);
    ids.push(...taken.ids);
  }
  const total = endToEnd.reduce((sum, nanoseconds) => sum + nanoseconds, 0);
  // After the last: between generations it was seen to delay the next one's first token too,
  // on a busy machine, and one metric is to be slowed.
  const spun = mode === "generateStreamAsync" ? spin(clock, total * slowdown) : 0;
  return {
    endToEndNanoseconds: (median(endToEnd) * (total + spun)) / total,
    firstTokenNanoseconds: firstTokens.length === 0 ? null : median(firstTokens),
    idsHash: sha256(new Uint8Array(Int32Array.from(ids).buffer)),
  };
}

interface Taken {
  readonly ids: readonly number[];
  readonly firstAt: number | undefined;
}

const take: Readonly<
  Record<
    GateMode,
    (generator: Generator, work: GateWork, config: GenerationConfig, clock: Clock) => Promise<Taken>
  >
> = {
  async generate(generator, { prompt }, config) {
    const { ids } = await generator.generate(prompt, config);
    return { ids, firstAt: undefined };
  },
  async generateStream(generator, { prompt }, config, clock) {
    let firstAt: number | undefined;
    const { ids } = await generator.generateStream(
      prompt,
      () => {
        firstAt ??= clock.nowNanoseconds();
      },
      config,
    );
    return { ids, firstAt };
  },
  async generateStreamAsync(generator, { prompt }, config, clock) {
    let firstAt: number | undefined;
    const ids: number[] = [];
    for await (const { id } of generator.generateStreamAsync(prompt, config)) {
      firstAt ??= clock.nowNanoseconds();
      ids.push(id);
    }
    return { ids, firstAt };
  },
};

function requireAll(mode: GateMode, made: number, tokens: number): void {
  if (made === tokens) return;
  throw new StreamgaugeError(
    "OUTPUT_MISMATCH",
    `${mode} made ${made} of ${tokens} tokens: both versions have to make all of them, or their ` +
      `times are of different work.`,
  );
}

/** Computes for a time, and returns how long it was. */
function spin(clock: Clock, nanoseconds: number): number {
  const start = clock.nowNanoseconds();
  let spent = 0;
  while (spent < nanoseconds) spent = clock.nowNanoseconds() - start;
  return spent;
}
