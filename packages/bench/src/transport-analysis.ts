import type {
  TransportBlock,
  TransportComparison,
  TransportRun,
  TransportSummary,
} from "./record.js";
import { estimateBoth, median, minimumSamples, rescale } from "./statistics.js";

/** What the blocks of a load say of one transport. */
export type TransportAnalysis = Pick<
  TransportSummary,
  "cpuMicrosecondsPerToken" | "throughputTokensPerSecond" | "comparisons"
>;

/**
 * Compares a transport with others, block by block, as a cell's modes are
 * compared with `generate`.
 *
 * @param baselines what it is compared with; itself is left out
 * @param tokens of each run
 */
export function analyzeTransport(
  blocks: readonly TransportBlock[],
  transport: string,
  { baselines, tokens }: { readonly baselines: readonly string[]; readonly tokens: number },
): TransportAnalysis {
  const runs = blocks.map((block) => runOf(block, transport));
  return {
    cpuMicrosecondsPerToken: median(runs.map(({ cpuMicroseconds }) => cpuMicroseconds / tokens)),
    throughputTokensPerSecond: median(
      runs.map(({ durationNanoseconds }) => tokens / (durationNanoseconds / 1e9)),
    ),
    comparisons: baselines
      .filter((against) => against !== transport)
      .map((against) => compare(blocks, transport, against, tokens)),
  };
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
