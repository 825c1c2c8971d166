/**
 * The words that messages are made of, with their limits.
 *
 * @module
 */
import { z } from "zod";

/** In lower-case hexadecimal. */
export const sha256: z.ZodString = z.string().regex(/^[0-9a-f]{64}$/);

/** A name that is part of a key, and of a path: it goes neither up nor down. */
export const keyName: z.ZodString = z.string().regex(/^(?!\.+$)[\w.-]{1,200}$/);

/** A machine's name, a label, the name of a preset or scenario. */
export const shortText: z.ZodString = z.string().min(1).max(120);

/** The code of streamgauge that a machine runs. */
export interface Build {
  /** null outside of a git checkout. */
  readonly commit: string | null;
  /** By package; null where it is not installed. */
  readonly versions: Readonly<Record<string, string | null>>;
}

/** Checks a {@link Build}. */
export const build: z.ZodType<Build> = z.strictObject({
  commit: z.string().max(64).nullable(),
  versions: z.record(z.string().max(80), z.string().max(80).nullable()),
});
