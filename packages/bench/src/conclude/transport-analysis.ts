import { judgeRatio } from "./ratio-claims.js";
import {
  transportComparison,
  type TransportBlock,
  type TransportClaim,
  type TransportComparison,
  type TransportMeasurement,
  type TransportRun,
  type TransportSummary,
} from "../record/index.js";
import { median } from "../statistics/index.js";
import { estimateDifferencePerToken, estimateRatio, runsOf } from "./paired-blocks.js";

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
    const runs = transportRuns(blocks, summary.transport);
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
  const own = transportRuns(blocks, transport).map(({ cpuMicroseconds }) => cpuMicroseconds);
  const others = transportRuns(blocks, against).map(({ cpuMicroseconds }) => cpuMicroseconds);
  return {
    against,
    cpuRatio: estimateRatio(own, others),
    addedCpuMicrosecondsPerToken: estimateDifferencePerToken(own, others, tokens),
  };
}

function transportRuns(blocks: readonly TransportBlock[], name: string): TransportRun[] {
  return runsOf(blocks, name, ({ transport }) => transport);
}
