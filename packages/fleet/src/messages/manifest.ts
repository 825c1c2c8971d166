import { isEnvironment, type Environment } from "@streamgauge/bench/parts";
import { z } from "zod";
import { keyName, sha256, shortText } from "./words.js";

/** Bytes of a piece of a file. */
export const chunkBytes: number = 512 * 1024;

/** A file of a part: raw samples come nowhere near it. */
export const mostFileBytes: number = 2 ** 27;

/** Of all of a part's files. */
const mostPartBytes = 2 ** 29;

/** A file of a part. */
export interface ManifestFile {
  readonly name: string;
  readonly byteLength: number;
  readonly sha256: string;
  /** SHA-256 of its pieces, in order; each but the last is of {@link chunkBytes}. */
  readonly chunks: readonly string[];
}

/** What a part consists of. It is written once, after everything that it names. */
export interface Manifest {
  readonly version: 1;
  readonly part: string;
  readonly machine: string;
  readonly label: string;
  readonly session: string;
  /** The machine while it measured. */
  readonly environment: Environment;
  readonly files: readonly ManifestFile[];
}

/** Checks a {@link ManifestFile}. */
export const manifestFile: z.ZodType<ManifestFile> = z.strictObject({
  name: z.string().regex(/^(part|samples-\d{1,6}|file-\d{1,6})$/),
  byteLength: z.int().min(0).max(mostFileBytes),
  sha256,
  chunks: z.array(sha256).max(mostFileBytes / chunkBytes),
});

/** Checks a {@link Manifest}. */
export const manifest: z.ZodType<Manifest> = z
  .strictObject({
    version: z.literal(1),
    part: keyName,
    machine: keyName,
    label: shortText,
    session: keyName,
    environment: z.custom<Environment>(isEnvironment, "it is no environment"),
    files: z.array(manifestFile).min(1).max(2000),
  })
  .refine(({ files }) => sizeOf(files) <= mostPartBytes, "it is too large");

function sizeOf(files: readonly ManifestFile[]): number {
  return files.reduce((sum, { byteLength }) => sum + byteLength, 0);
}
