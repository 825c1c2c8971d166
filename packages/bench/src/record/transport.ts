import type { Definition } from "./definition.js";
import { latencySummary, type LatencySummary } from "./distribution.js";
import { estimates, type Estimates } from "./estimates.js";
import { array, boolean, nullable, number, object, optional, string, type Check } from "./shape.js";
import { verdict, type Verdict } from "./verdict.js";
import { warmUp, type WarmUp } from "./warm-up.js";

/**
 * Ways for tokens to cross from one thread to another, under one load: each
 * block runs every transport once.
 */
export interface TransportMeasurement {
  /** The scenario that asked. */
  readonly scenario: string;
  /** Id of the generator whose tokens were carried. */
  readonly generator: string;
  /** Of each run. */
  readonly tokens: number;
  /** How long the producer sleeps before each token, at least; 0 in a burst. */
  readonly gapMicroseconds: number;
  /** Dropped, and whether their times had stopped trending. */
  readonly warmUp: WarmUp;
  readonly blocks: readonly TransportBlock[];
  /** In the order in which tables show them. */
  readonly transports: readonly TransportSummary[];
  readonly claims: readonly TransportClaim[];
}

/** One run of every transport: one sample. */
export interface TransportBlock {
  /** In the order in which they ran. */
  readonly runs: readonly TransportRun[];
}

/** All tokens of a load, carried once. */
export interface TransportRun {
  /** {@link TransportSummary.transport} */
  readonly transport: string;
  /** User and system time of the whole process: both threads, and what collects their garbage. */
  readonly cpuMicroseconds: number;
  /** Asked for → all delivered, and the producer done. */
  readonly durationNanoseconds: number;
}

/** A transport by itself and against others. Medians over blocks. */
export interface TransportSummary {
  /** Unique in a measurement. */
  readonly transport: string;
  /** null for what is no ring. */
  readonly ring: RingDescription | null;
  /** Whether the producer waits for a consumer that is slower; null where nothing is delivered. */
  readonly hasBackpressure: boolean | null;
  readonly cpuMicrosecondsPerToken: number;
  readonly throughputTokensPerSecond: number;
  /** Delivered − made, of each token of all blocks; null where nothing is delivered. */
  readonly deliveryLatency: LatencySummary | null;
  readonly comparisons: readonly TransportComparison[];
}

/** How a ring was made. */
export interface RingDescription {
  readonly capacity: number;
  readonly publishBatch: number;
  /** How the consumer waits. */
  readonly wait: string;
  /** How long it looks before it sleeps; 0 where it sleeps at once. */
  readonly spinMicroseconds: number;
  /** How long it may be left asleep with a token to read; without it every token woke it. */
  readonly maxDelayMilliseconds?: number;
}

/** A transport against another, block by block. */
export interface TransportComparison {
  readonly against: string;
  /**
   * CPU time of the one / CPU time of the other. null with fewer blocks than an
   * interval needs, and where a run is shorter than the clock of CPU time can tell.
   */
  readonly cpuRatio: Estimates | null;
  /** CPU time of the one − CPU time of the other, per token; null with fewer blocks. */
  readonly addedCpuMicrosecondsPerToken: Estimates | null;
}

/** That a transport needs less than a share of another's CPU time. */
export interface TransportClaim {
  readonly transport: string;
  readonly against: string;
  /** The other once more: what the blocks report where there is no difference. */
  readonly control: string;
  /** The claim is that the ratio is below it. */
  readonly limit: number;
  readonly verdict: Verdict;
  /** Why, in sentences. */
  readonly reasons: readonly string[];
}

/** Checks a {@link TransportMeasurement}. */
export const transportMeasurement: Check<TransportMeasurement> = object({
  scenario: string,
  generator: string,
  tokens: number,
  gapMicroseconds: number,
  warmUp,
  blocks: array(
    object({
      runs: array(
        object({
          transport: string,
          cpuMicroseconds: number,
          durationNanoseconds: number,
        }),
      ),
    }),
  ),
  transports: array(
    object({
      transport: string,
      ring: nullable(
        object({
          capacity: number,
          publishBatch: number,
          wait: string,
          spinMicroseconds: number,
          maxDelayMilliseconds: optional(number),
        }),
      ),
      hasBackpressure: nullable(boolean),
      cpuMicrosecondsPerToken: number,
      throughputTokensPerSecond: number,
      deliveryLatency: nullable(latencySummary),
      comparisons: array(
        object({
          against: string,
          cpuRatio: nullable(estimates),
          addedCpuMicrosecondsPerToken: nullable(estimates),
        }),
      ),
    }),
  ),
  claims: array(
    object({
      transport: string,
      against: string,
      control: string,
      limit: number,
      verdict,
      reasons: array(string),
    }),
  ),
});

/** The load of a measurement, in words: `20000 tokens in a burst`. */
export function describeLoad({
  tokens,
  gapMicroseconds,
}: Pick<TransportMeasurement, "tokens" | "gapMicroseconds">): string {
  return gapMicroseconds === 0
    ? `${tokens} tokens in a burst`
    : `${tokens} tokens, ${gapMicroseconds} µs of sleep before each`;
}

/** A transport against another, where both were measured. */
export function transportComparison(
  { transports }: Pick<TransportMeasurement, "transports">,
  transport: string,
  against: string | undefined,
): TransportComparison | undefined {
  return transports
    .find((summary) => summary.transport === transport)
    ?.comparisons.find((comparison) => comparison.against === against);
}

/**
 * What a measurement compares its transports with: the one that delivers nothing,
 * if it is among them, and the others in the order in which they were asked for.
 */
export function transportBaselines({ transports }: TransportMeasurement): {
  readonly load: string | undefined;
  readonly others: readonly string[];
} {
  const names = new Set(
    transports.flatMap(({ comparisons }) => comparisons.map(({ against }) => against)),
  );
  const load = transports.find(
    ({ transport, hasBackpressure }) => hasBackpressure === null && names.has(transport),
  )?.transport;
  return { load, others: [...names].filter((name) => name !== load) };
}

/** What the numbers of a {@link TransportMeasurement} mean. */
export const transportDefinitions: readonly Definition[] = [
  {
    metric: "transport load",
    formula:
      "the same tokens by every transport, once in each block; in a burst as fast as the " +
      "transport takes them; otherwise the producer takes a turn of its event loop before each " +
      "token and sleeps, because spinning would be counted as the transport's CPU time",
  },
  {
    metric: "CPU of a transport",
    formula:
      "user + system time of the process (both threads, and what collects their garbage) over " +
      "a run / tokens, median over blocks; less the load: minus that of the block's run which " +
      "makes the tokens and delivers none, by Hodges–Lehmann (95 %); tokens/s: from the order " +
      "until all are delivered and the producer is done",
  },
  {
    metric: "CPU ratio",
    formula:
      "ln(CPU of a transport / CPU of another) per block, the load included in both; over blocks " +
      "by Hodges–Lehmann with the exact Wilcoxon interval (95 %), shown as exp(x); judged as " +
      "claims are, with room for what the other against itself may differ by, in the one process",
  },
];
