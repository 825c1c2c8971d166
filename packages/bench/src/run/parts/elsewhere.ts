import type { Environment, Instrument } from "../../record/index.js";
import type { StagesOrder } from "../plan-stages.js";
import type { RecordedPart } from "./recorded-part.js";

/** What one process of a run is asked for, wherever it runs. */
export interface PartOrder extends StagesOrder {
  /** The name of one: functions do not cross. */
  readonly preset: string;
  readonly seed: number;
  /** Of the run that it is for. */
  readonly runId: string;
  /** Index of the planned look that it is measured for. */
  readonly look: number;
}

/** How far the parts of a look are. */
export interface PartsProgress {
  /** Where it waits, or who measures, in a few words. */
  readonly subject: string;
  readonly isWaiting: boolean;
}

/** Measures the processes of a run on other machines, which are all alike. */
export interface Elsewhere {
  /** One of the machines, as it is before the run. */
  readonly environment: Environment;
  /** The measuring instrument, measured there. */
  readonly instrument: Instrument;
  /**
   * Measures all of them, at once where there are machines; gives them in the order of the orders.
   * Ends early after an abort.
   *
   * @throws StreamgaugeError where one cannot be measured
   */
  measure(
    orders: readonly PartOrder[],
    options: {
      readonly signal: AbortSignal | undefined;
      readonly report: (progress: PartsProgress) => void;
    },
  ): AsyncIterable<RecordedPart>;
  /** The part is in the record, and the record is saved: nobody needs it any more. */
  taken(order: PartOrder): Promise<void>;
}
