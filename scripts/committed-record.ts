// Used by tests that need a real record. They name none, because records are replaced.
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const results = fileURLToPath(new URL("../results", import.meta.url));

/** What tests ask of a record, as it is stored. */
export interface StoredRecord {
  readonly profile: string;
  readonly status: string;
  readonly startedAt: string;
  readonly cells: readonly { readonly id: string }[];
  readonly environment: {
    readonly git: { readonly commit: string; readonly dirty: boolean } | null;
  };
}

/** A folder of `results/`, and its record. */
export interface CommittedRecord {
  readonly folder: string;
  readonly record: StoredRecord;
}

/**
 * The newest complete committed record of a clean commit that has raw samples and measured the
 * embedded model; of profile `standard` if there is one, because it is smaller than a full one.
 */
export async function committedRecord(): Promise<CommittedRecord> {
  const found: CommittedRecord[] = [];
  for (const name of await readdir(results)) {
    const folder = join(results, name);
    if (!/^\d/.test(name) || !existsSync(join(folder, "raw"))) continue;
    const record = await readStored(folder);
    const isMeant =
      record?.status === "complete" &&
      record.environment.git?.dirty === false &&
      record.cells.some(({ id }) => id === "pequod-pooled-100");
    if (isMeant) found.push({ folder, record });
  }
  const [best] = found.toSorted(
    (one, other) =>
      Number(other.record.profile === "standard") - Number(one.record.profile === "standard") ||
      Date.parse(other.record.startedAt) - Date.parse(one.record.startedAt),
  );
  if (best === undefined) throw new Error(`There is no such record under ${results}.`);
  return best;
}

async function readStored(folder: string): Promise<StoredRecord | undefined> {
  const plain = join(folder, "record.json");
  if (existsSync(plain)) return JSON.parse(await readFile(plain, "utf8")) as StoredRecord;
  if (!existsSync(`${plain}.gz`)) return undefined;
  return JSON.parse(gunzipSync(await readFile(`${plain}.gz`)).toString()) as StoredRecord;
}
