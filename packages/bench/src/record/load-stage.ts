import type { Definition } from "./definition.js";
import { exactLatencies, type ExactLatencies } from "./exact-latencies.js";
import { dictionary, nullable, number, object, type Check } from "./shape.js";

/** How many requests there were, by what became of them. */
export interface StageCounts {
  /** Arrivals that the schedule has in this stage. */
  readonly offered: number;
  /** Those that were sent; fewer than offered only where the stage ended early. */
  readonly arrived: number;
  /** Arrived = completed + failed + interrupted. */
  readonly completed: number;
  readonly failed: number;
  /** In flight when the step was ended early. */
  readonly interrupted: number;
  /** Sent so long after their due moment that the client was the reason; see `lateAfterNanoseconds`. */
  readonly late: number;
  /** Completed within all limits of the objective; all that were completed where there is none. */
  readonly good: number;
}

/**
 * What became of the requests of one stage, or of one shard's share of them. Two of one stage
 * merge exactly: counts and histograms add, and extremes are extremes.
 */
export interface LoadStage extends StageCounts {
  /** Of the step's schedule, from 0. */
  readonly stage: number;
  /** Its length in the schedule; of a trace, up to its last arrival. */
  readonly seconds: number;
  /** Failed requests by kind, such as `HTTP 429`, `ECONNREFUSED` or `timeout`. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of completed requests, as the server counts them. */
  readonly outputTokens: number;
  /** Of completed requests whose server counts them. */
  readonly promptTokens: number;
  /** Most requests at once; the sum over shards where they were merged. */
  readonly mostInFlight: number;
  /** Last end − beginning of the step; null where none ended. */
  readonly lastEndNanoseconds: number | null;
  /** Sent − due, of every request that was sent. */
  readonly lateness: ExactLatencies | null;
  /** First token delivered − due. This and those below are of completed requests. */
  readonly timeToFirstToken: ExactLatencies | null;
  /** Delivered(i) − delivered(i − 1), every gap. */
  readonly interTokenLatency: ExactLatencies | null;
  /** (last delivered − first delivered) / (n − 1), of requests with n ≥ 2 tokens. */
  readonly timePerOutputToken: ExactLatencies | null;
  /** Settled − due. */
  readonly endToEnd: ExactLatencies | null;
}

/** The latencies of a {@link LoadStage}. */
export const loadLatencies = [
  "lateness",
  "timeToFirstToken",
  "interTokenLatency",
  "timePerOutputToken",
  "endToEnd",
] as const;

export type LoadLatency = (typeof loadLatencies)[number];

/** Checks a {@link LoadStage}. */
export const loadStage: Check<LoadStage> = object({
  stage: number,
  seconds: number,
  offered: number,
  arrived: number,
  completed: number,
  failed: number,
  interrupted: number,
  late: number,
  good: number,
  errors: dictionary(number),
  outputTokens: number,
  promptTokens: number,
  mostInFlight: number,
  lastEndNanoseconds: nullable(number),
  lateness: nullable(exactLatencies),
  timeToFirstToken: nullable(exactLatencies),
  interTokenLatency: nullable(exactLatencies),
  timePerOutputToken: nullable(exactLatencies),
  endToEnd: nullable(exactLatencies),
});

/** What the numbers of a {@link LoadStage} mean. */
export const loadDefinitions: readonly Definition[] = [
  {
    metric: "due",
    formula:
      "the moment that the schedule has for a request; drawn before the run, and the same for " +
      "any number of shards. A request is sent then, whether or not earlier ones are done",
  },
  {
    metric: "lateness",
    formula: "sent − due: how late this client was. All latencies have it in them",
  },
  { metric: "time to first token", formula: "first text delivered − due" },
  {
    metric: "inter-token latency",
    formula: "delivered(i) − delivered(i − 1), every gap between chunks",
  },
  {
    metric: "time per output token",
    formula: "(last delivered − first delivered) / (n − 1), n as the server counts, n ≥ 2",
  },
  { metric: "end-to-end latency", formula: "settled − due" },
  {
    metric: "good",
    formula:
      "completed within every limit: time to first token, time per output token, end to end, and " +
      "each gap between its tokens",
  },
  { metric: "goodput", formula: "good requests / seconds of the stage" },
];
