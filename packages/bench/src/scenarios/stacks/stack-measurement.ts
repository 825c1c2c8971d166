import { concludeStack, type StackRunAtSize } from "../../conclude/stack-analysis.js";
import { interleave } from "../../measure/interleave.js";
import { LatencyHistogram } from "../../measure/latency-histogram.js";
import { WarmUpGate } from "../../measure/warm-up.js";
import type { ScenarioGenerator } from "../../plan/generator-plan.js";
import type { MeasurementContext, MeasurementPlan } from "../../plan/stage.js";
import type { LeftOutStack, StackMeasurement } from "../../record/index.js";
import { sampleAllocatedBytes, type SampleBytes } from "./sample-bytes.js";
import { StackBench, type OpenStack, type StackInstruments } from "./stack-bench.js";
import type { Stack } from "./stack.js";
import { allStacks, neverMeasured } from "./stack-list.js";

/** What {@link stackMeasurement} is told. */
export interface StackOptions extends StackInstruments {
  /** For the progress display. Unique on a generator. */
  readonly id: string;
  /** Of each run; ascending. Three in a geometric series tell how costs grow. */
  readonly tokens: readonly number[];
  /** A multiple of the orders that balance; see `williamsDesign`. */
  readonly blocks: number;
  /** Blocks with the sampler of allocations on, after the others; 0 for none. */
  readonly allocationBlocks: number;
  /** The timed blocks end early after this long. */
  readonly timeBudgetSeconds: number;
  /** A guess, for the time left. */
  readonly expectedSeconds: number;
  /** Default: all. The first is what others are compared with, and has to run. */
  readonly stacks?: readonly Stack[];
  /** Default: by the sampling heap profiler. */
  readonly sampleBytes?: SampleBytes;
}

/**
 * Puts the same known tokens through libraries that carry a stream, in interleaved blocks.
 *
 * ```text
 * CPU per token    = user + system time of the process over a run / tokens
 * delivery latency = text at the consumer − token made
 * bytes per token  = allocated by the consuming thread over a run / tokens, in blocks of their own
 * growth           = e of cost = start + k · tokensᵉ
 * ```
 *
 * In each run all text has to come once and in order. A stack whose library is not installed, or
 * that fails at the beginning, is left out, and the record says why.
 */
export function stackMeasurement(options: StackOptions): MeasurementPlan {
  return {
    id: options.id,
    expectedSeconds: options.expectedSeconds,
    withBlocks: (blocks) =>
      stackMeasurement({
        ...options,
        blocks,
        allocationBlocks: Math.min(blocks, options.allocationBlocks),
        expectedSeconds: options.expectedSeconds * (blocks / options.blocks),
      }),
    async measure(generator, context) {
      const measured = await measureStacks(generator, options, context);
      return measured === undefined ? {} : { stacks: [measured] };
    },
  };
}

async function measureStacks(
  generator: ScenarioGenerator,
  options: StackOptions,
  context: MeasurementContext,
): Promise<StackMeasurement | undefined> {
  const { stacks = allStacks, tokens } = options;
  const bench = await StackBench.open(generator, context, options, Math.max(...tokens));
  try {
    const opened: OpenStack[] = [];
    const leftOut: LeftOutStack[] = [];
    context.report?.("trying each stack");
    for (const stack of stacks) {
      if (context.signal?.aborted === true) return undefined;
      const tried = await bench.try(stack);
      if ("reason" in tried) leftOut.push(tried);
      else opened.push(tried);
    }
    const found = await runBlocks(bench, opened, options, context);
    if (found === undefined) return undefined;
    const { id, model, host } = context.plan;
    const names = new Set(opened.map(({ stack }) => stack.name));
    return {
      generator: id,
      model,
      host,
      warmUp: found.warmUp.summary,
      stacks: opened.map(({ stack: { name, against, socket }, library }) =>
        concludeStack(
          {
            stack: name,
            against: against !== null && names.has(against) ? against : null,
            library,
            socket,
          },
          { tokens, ...found },
        ),
      ),
      leftOut: [...leftOut, ...neverMeasured],
    };
  } finally {
    await bench.close();
  }
}

async function runBlocks(
  bench: StackBench,
  members: readonly OpenStack[],
  options: StackOptions,
  context: MeasurementContext,
) {
  const { tokens: sizes, blocks: planned, allocationBlocks, timeBudgetSeconds } = options;
  const { sampleBytes = sampleAllocatedBytes } = options;
  const { clock, seed, signal } = context;
  const warmUp = new WarmUpGate();
  if (members.length === 0) {
    return { warmUp, blocks: [], allocations: [], latencies: new Map<string, LatencyHistogram>() };
  }
  const blocks: StackRunAtSize[][] = [];
  const allocations: StackRunAtSize[][] = [];
  const latencies = new Map<string, LatencyHistogram>();

  /** Every member in turn at every size. */
  const runAll = async (
    order: readonly OpenStack[],
    counts: readonly number[],
    run: (member: OpenStack, tokens: number) => Promise<StackRunAtSize>,
  ): Promise<StackRunAtSize[] | undefined> => {
    const runs: StackRunAtSize[] = [];
    for (const member of order) {
      for (const tokens of counts) {
        if (signal?.aborted === true) return undefined;
        runs.push(await run(member, tokens));
      }
    }
    return runs;
  };
  const common = { members, seed, clock, signal, measuredOrders: "fresh" as const };

  context.report?.("warming up");
  const timed = await interleave<OpenStack, StackRunAtSize[]>({
    ...common,
    blocks: planned,
    timeBudget: { seconds: timeBudgetSeconds },
    isWarm: () => warmUp.finished,
    runBlock: (order, phase, done) => {
      if (phase === "measure") context.report?.(`block ${done + 1} of ${planned}`);
      // The largest costs most and warms nothing that the others do not.
      const counts = phase === "measure" || sizes.length === 1 ? sizes : sizes.slice(0, -1);
      return runAll(order, counts, async (member, tokens) => {
        const { latenciesNanoseconds, ...run } = await bench.measure(member, tokens);
        if (phase === "measure") {
          const key = `${member.stack.name} ${tokens}`;
          const histogram = latencies.get(key) ?? new LatencyHistogram();
          for (const nanoseconds of latenciesNanoseconds) histogram.add(nanoseconds);
          if (latenciesNanoseconds.length > 0) latencies.set(key, histogram);
        }
        return { stack: member.stack.name, tokens, ...run };
      });
    },
    onWarmUp: (runs) =>
      warmUp.add(runs.reduce((sum, { durationNanoseconds }) => sum + durationNanoseconds, 0)),
    onBlock: (runs) => void blocks.push(runs),
  });
  if (timed === "interrupted") return undefined;
  const sampled = await interleave<OpenStack, StackRunAtSize[]>({
    ...common,
    blocks: allocationBlocks,
    isWarm: () => true,
    runBlock: (order, _phase, done) => {
      context.report?.(`allocations, block ${done + 1} of ${allocationBlocks}`);
      return runAll(order, sizes, async (member, tokens) => {
        const { latenciesNanoseconds: _, ...run } = await bench.measure(
          member,
          tokens,
          sampleBytes,
        );
        return { stack: member.stack.name, tokens, ...run };
      });
    },
    onBlock: (runs) => void allocations.push(runs),
  });
  return sampled === "interrupted" ? undefined : { warmUp, blocks, allocations, latencies };
}
