import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import {
  InvalidRecordError,
  parseRecord,
  type RawSamplesReference,
  type ResultRecord,
} from "../record/index.js";

/**
 * A record on disk, and the raw samples beside it. Each save replaces the file as a whole, so that a reader, or
 * a crash, never meets half of one.
 */
export class RecordFile {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @param folder made if it is not there */
  static async create(folder: string): Promise<RecordFile> {
    await mkdir(folder, { recursive: true });
    return new RecordFile(join(resolve(folder), "record.json"));
  }

  /** Resolves when the record is in place. One call at a time. */
  async save(record: ResultRecord): Promise<void> {
    await replaceFile(this.path, `${JSON.stringify(record)}\n`);
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
    const [folder = "", ...rest] = name.split("/");
    // Anybody's generator names its cells; a name must not leave the folder.
    const file = `${encodeURIComponent(folder)}/${encodeURIComponent(rest.join("/"))}`;
    const path = join(dirname(this.path), file);
    await mkdir(dirname(path), { recursive: true });
    await replaceFile(path, content);
    return file;
  }
}

async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, content);
  await rename(temporary, path);
}

/** In lower-case hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Reads a record from its file.
 *
 * @throws InvalidRecordError naming the file, when it is not a readable record
 */
export async function readRecordFile(path: string): Promise<ResultRecord> {
  try {
    return parseRecord(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidRecordError(`${path}: ${reason}`, { cause });
  }
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
