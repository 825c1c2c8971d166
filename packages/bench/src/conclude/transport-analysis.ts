import { judgeRatio } from "./claims.js";
import {
  transportComparison,
  type TransportBlock,
  type TransportClaim,
  type TransportComparison,
  type TransportMeasurement,
  type TransportRun,
  type TransportSummary,
} from "../record/index.js";
import { estimateBoth, median, minimumSamples, rescale } from "../statistics/index.js";

/** A measurement before anything is concluded from its blocks. */
export type TransportSamples = Omit<TransportMeasurement, "transports" | "claims"> & {
  readonly transports: readonly (Pick<
    TransportSummary,
    "transport" | "ring" | "hasBackpressure" | "deliveryLatency"
  > & {
    /** What it is compared with. */
    readonly comparisons: readonly Pick<TransportComparison, "against">[];
  })[];
  readonly claims: readonly Omit<TransportClaim, "verdict" | "reasons">[];
};

/**
 * Concludes everything that follows from the blocks of a measurement: each
 * transport by itself, against others block by block, as a cell's modes are
 * compared with `generate`, and the verdicts.
 */
export function concludeTransports(samples: TransportSamples): TransportMeasurement {
  const { blocks, tokens } = samples;
  const transports = samples.transports.map((summary): TransportSummary => {
    const runs = blocks.map((block) => runOf(block, summary.transport));
    return {
      ...summary,
      cpuMicrosecondsPerToken: median(runs.map(({ cpuMicroseconds }) => cpuMicroseconds / tokens)),
      throughputTokensPerSecond: median(
        runs.map(({ durationNanoseconds }) => tokens / (durationNanoseconds / 1e9)),
      ),
      comparisons: summary.comparisons.map(({ against }) =>
        compare(blocks, summary.transport, against, tokens),
      ),
    };
  });
  const ratioOf = (transport: string, against: string) =>
    transportComparison({ transports }, transport, against)?.cpuRatio ?? null;
  const claims = samples.claims.map((claim): TransportClaim => ({
    ...claim,
    ...judgeRatio(
      claim.limit,
      ratioOf(claim.transport, claim.against),
      ratioOf(claim.control, claim.against),
    ),
  }));
  return { ...samples, transports, claims };
}

function compare(
  blocks: readonly TransportBlock[],
  transport: string,
  against: string,
  tokens: number,
): TransportComparison {
  const pairs = blocks.map((block) => ({
    own: runOf(block, transport).cpuMicroseconds,
    other: runOf(block, against).cpuMicroseconds,
  }));
  const logRatios = pairs.map(({ own, other }) => Math.log(own / other));
  const isEnough = pairs.length >= minimumSamples;
  return {
    against,
    cpuRatio:
      isEnough && logRatios.every(Number.isFinite)
        ? rescale(estimateBoth(logRatios), Math.exp)
        : null,
    addedCpuMicrosecondsPerToken: isEnough
      ? estimateBoth(pairs.map(({ own, other }) => (own - other) / tokens))
      : null,
  };
}

function runOf({ runs }: TransportBlock, transport: string): TransportRun {
  const run = runs.find((candidate) => candidate.transport === transport);
  if (run === undefined) throw new RangeError(`A block has no run of ${transport}.`);
  return run;
}
