import type { TransportClaim } from "../../record/index.js";
import type { OpenProducerThread, TransportLoad } from "./producer-thread.js";
import type { TransportPlan } from "./transport-plan.js";

/** What `transportMeasurement` is told. */
export interface TransportOptions {
  /** For the progress display. Unique on a generator. */
  readonly id: string;
  /** Name of the scenario. */
  readonly scenario: string;
  readonly load: TransportLoad;
  /** Each runs once in each block. */
  readonly transports: readonly TransportPlan[];
  /** Names of those that all others are compared with. */
  readonly baselines: readonly string[];
  /** What is promised, by name; both others have to be baselines or compared with one. */
  readonly claims?: readonly Pick<TransportClaim, "transport" | "against" | "control" | "limit">[];
  /** A multiple of the orders that balance; see `williamsDesign`. */
  readonly blocks: number;
  /** It ends early after this long, with the blocks that it has. */
  readonly timeBudgetSeconds: number;
  /** A guess, for the time left. */
  readonly expectedSeconds: number;
  /** Default: a thread of its own. */
  readonly openProducer?: OpenProducerThread;
}
