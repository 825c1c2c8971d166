import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { StreamgaugeError } from "@streamgauge/core";
import type { RawSamplesReference, ResultRecord } from "../record/index.js";
import { compressText, largestPlainBytes, recordFileNames, storedText } from "./stored-record.js";

/**
 * A record on disk, and the raw samples beside it. Each save replaces the file as a whole, so that a reader, or
 * a crash, never meets half of one.
 */
export class RecordFile {
  readonly #folder: string;
  /** Never goes back: where a crash leaves a file of either form, the compressed one is the newer. */
  #isCompressed: boolean;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#isCompressed = existsSync(join(folder, recordFileNames.compressed));
  }

  /**
   * @param folder made if it is not there
   * @throws StreamgaugeError `INVALID_OPTION` where it cannot be made
   */
  static async create(folder: string): Promise<RecordFile> {
    try {
      await mkdir(folder, { recursive: true });
    } catch (cause) {
      throw new StreamgaugeError(
        "INVALID_OPTION",
        `The folder ${folder} cannot be made: ${(cause as Error).message}. ` +
          `Give --out a folder that can be written to.`,
        { cause },
      );
    }
    return new RecordFile(resolve(folder));
  }

  /** Of the file as it was saved last; it changes when the record becomes large. */
  get path(): string {
    const { plain, compressed } = recordFileNames;
    return join(this.#folder, this.#isCompressed ? compressed : plain);
  }

  /**
   * Resolves when the record is in place. Raw samples that it names have to be in place before.
   * One call at a time.
   */
  async save(record: ResultRecord): Promise<void> {
    const text = storedText(record);
    if (!this.#isCompressed && Buffer.byteLength(text) <= largestPlainBytes) {
      await replaceFile(this.path, text);
      return;
    }
    this.#isCompressed = true;
    await replaceFile(this.path, await compressText(text));
    await rm(join(this.#folder, recordFileNames.plain), { force: true });
  }

  /** Resolves, when the samples of a cell are in place, to what the record says of them. */
  async saveRawSamples(cell: string, bytes: Uint8Array): Promise<RawSamplesReference> {
    const file = await this.saveFile(`raw/${cell}.bin.gz`, bytes);
    return { file, byteLength: bytes.byteLength, sha256: sha256(bytes) };
  }

  /**
   * Saves a file beside the record, in one of its folders.
   *
   * @param name as "folder/file"
   * @returns the name as it became, relative to the record and with slashes
   */
  async saveFile(name: string, content: string | Uint8Array): Promise<string> {
    const file = savedName(name);
    const path = join(this.#folder, file);
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, content);
    return file;
  }
}

/**
 * What {@link RecordFile.saveFile} makes of a name: anybody's generator names its cells, and a name
 * must not leave the folder.
 */
export function savedName(name: string): string {
  const [folder = "", ...rest] = name.split("/");
  return `${plainStep(folder)}/${plainStep(rest.join("/"))}`;
}

/** One step of a path, which goes neither up nor down. */
function plainStep(text: string): string {
  return /^\.+$/.test(text) ? text.replaceAll(".", "%2E") : encodeURIComponent(text);
}

/** Writes a file as a whole: a reader, or a crash, meets the old one or the new one. */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}

/** In lower-case hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * `results/local/<run id>` in the workspace that holds `from`, or in `from`
 * itself outside of one. Task runners start scripts in a package's folder, and
 * results belong to the whole.
 */
export function defaultOutputFolder(runId: string, from: string = process.cwd()): string {
  return join(workspaceRoot(from) ?? from, "results", "local", runId);
}

/** The nearest folder upwards with a `pnpm-workspace.yaml`, if there is one. */
export function workspaceRoot(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "pnpm-workspace.yaml"))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
