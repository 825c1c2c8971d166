import type { GateOptions } from "./gate-options.js";
import { runPair, type Block } from "./gate-pair.js";
import { gateMetrics, gateModes, type GateSide, type GateWork } from "./gate-work.js";
import type { SideRun } from "./side-protocol.js";
import {
  judgeMetrics,
  overallVerdict,
  typical,
  type GateVerdict,
  type JudgedMetric,
} from "./verdict.js";

/** One metric with what it was judged from. */
export interface GateMetricResult extends JudgedMetric {
  /** Geometric means over all blocks, in µs. */
  readonly baseMicroseconds: number | null;
  readonly headMicroseconds: number | null;
  /** ln(head / base), by pair of processes and block. */
  readonly logRatios: readonly (readonly number[])[];
}

/** What a gate found. */
export interface GateOutcome {
  readonly verdict: GateVerdict;
  readonly threshold: number;
  readonly work: GateWork;
  readonly seed: number;
  readonly slowdown: number;
  readonly pairs: number;
  readonly interrupted: boolean;
  /** The versions made other tokens: what differs may be the work. */
  readonly outputsDiffer: boolean;
  readonly seconds: number;
  readonly metrics: readonly GateMetricResult[];
}

/**
 * Compares two versions: pairs of fresh processes, one of each version, that take
 * turns, one run at a time, in orders that are balanced and drawn from the seed.
 *
 * An abort ends it after the current run; what is done is judged, and the outcome
 * says that it was interrupted.
 *
 * @throws StreamgaugeError what a version throws
 */
export async function runGate(options: GateOptions): Promise<GateOutcome> {
  const { size, clock, threshold, work, seed, slowdown = 0 } = options;
  const start = clock.nowNanoseconds();
  const pairs: Block[][] = [];
  for (let pair = 0; pair < size.pairs && options.signal?.aborted !== true; pair += 1) {
    const blocks = await runPair(options, pair, start);
    if (blocks.length > 0) pairs.push(blocks);
  }
  const values = gateMetrics.map(({ name, mode, kind }) => {
    const of = (block: Block, side: GateSide): number => valueOf(block[mode][side], kind, work);
    return {
      metric: name,
      baseMicroseconds: typicalOf(pairs, (block) => of(block, "base")),
      headMicroseconds: typicalOf(pairs, (block) => of(block, "head")),
      logRatios: pairs.map((blocks) =>
        blocks.map((block) => Math.log(of(block, "head") / of(block, "base"))),
      ),
    };
  });
  const metrics = judgeMetrics(values, threshold).map((judged, index) => ({
    ...values[index]!,
    ...judged,
  }));
  return {
    verdict: overallVerdict(metrics),
    threshold,
    work,
    seed,
    slowdown,
    pairs: pairs.length,
    interrupted: options.signal?.aborted === true,
    outputsDiffer: pairs
      .flat()
      .some((block) =>
        gateModes.some((mode) => block[mode].base.idsHash !== block[mode].head.idsHash),
      ),
    seconds: (clock.nowNanoseconds() - start) / 1e9,
    metrics,
  };
}

function valueOf(
  run: SideRun,
  kind: "time per token" | "time to first token",
  work: GateWork,
): number {
  return kind === "time per token"
    ? run.endToEndNanoseconds / 1000 / work.tokens
    : (run.firstTokenNanoseconds ?? Number.NaN) / 1000;
}

function typicalOf(
  pairs: readonly (readonly Block[])[],
  of: (block: Block) => number,
): number | null {
  const values = pairs.flat().map(of);
  return values.length === 0 ? null : typical(values);
}
