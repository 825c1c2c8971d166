import { boolean, number, object, type Check } from "./shape.js";

/** Blocks run before the measured ones and dropped. */
export interface WarmUp {
  readonly blocksDropped: number;
  /** Whether block times had stopped trending when the measurement began. */
  readonly steady: boolean;
}

/** Checks a {@link WarmUp}. */
export const warmUp: Check<WarmUp> = object({ blocksDropped: number, steady: boolean });
