import { z } from "zod";
import { keyName, shortText } from "./words.js";

/** How far a class of machines is in a run. */
export interface ClassNotice {
  readonly machineClass: string;
  readonly label: string;
  /** Until the next look. */
  readonly parts: number;
  readonly done: number;
}

/** What a run says of itself, for `fleet status`. */
export interface RunNotice {
  readonly version: 1;
  /** ISO 8601. */
  readonly startedAt: string;
  /** When it was last renewed, by the coordinator's clock. */
  readonly renewedAt: string;
  readonly classes: readonly ClassNotice[];
}

/** Checks a {@link RunNotice}. */
export const runNotice: z.ZodType<RunNotice> = z.strictObject({
  version: z.literal(1),
  startedAt: z.string().max(40),
  renewedAt: z.string().max(40),
  classes: z
    .array(
      z.strictObject({
        machineClass: keyName,
        label: shortText,
        parts: z.int().min(0),
        done: z.int().min(0),
      }),
    )
    .max(200),
});
