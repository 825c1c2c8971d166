import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import type { Claim } from "./claims.js";
import type { CellIdentity } from "../record/index.js";

/**
 * What streamgauge promises: synchronous streaming under 5 % and asynchronous
 * under 10 % for each token count of the embedded model; and, tighter because
 * nothing hides it, 40 µs per token on an engine that needs 100 µs for one.
 */
export const shippedClaimsFile: URL = new URL("../../claims.json", import.meta.url);

/**
 * Reads a file of claims: `{ "claims": […] }`, each a {@link Claim}.
 *
 * @throws StreamgaugeError `INVALID_CLAIMS` naming the file and the field
 */
export async function readClaims(file: string | URL): Promise<readonly Claim[]> {
  try {
    return parseClaims(JSON.parse(await readFile(file, "utf8")));
  } catch (cause) {
    const path = file instanceof URL ? fileURLToPath(file) : file;
    throw new StreamgaugeError("INVALID_CLAIMS", `${path}: ${messageOf(cause)}`, { cause });
  }
}

/**
 * Checks claims that come from outside. A field that nobody knows is refused: a
 * misspelt selection would otherwise hold a claim against every cell.
 *
 * @throws StreamgaugeError `INVALID_CLAIMS` naming the field
 */
export function parseClaims(json: unknown): readonly Claim[] {
  const { claims } = fieldsOf(json, "the file", ["claims"]);
  if (!Array.isArray(claims)) throw invalid("claims", "an array");
  const parsed = claims.map((claim, index) => parseClaim(claim, `claims[${index}]`));
  for (const [index, { id }] of parsed.entries()) {
    if (parsed.findIndex((other) => other.id === id) < index) {
      throw invalid(`claims[${index}].id`, `unique, and "${id}" is there twice`);
    }
  }
  return parsed;
}

function parseClaim(json: unknown, path: string): Claim {
  const fields = fieldsOf(json, path, ["id", "metric", "treatment", "limit", "of"]);
  const { id, limit } = fields;
  if (typeof id !== "string" || id === "") throw invalid(`${path}.id`, "a text");
  const metric = oneOf(
    fields["metric"],
    ["overhead", "absoluteCost", "difference"],
    `${path}.metric`,
  );
  const streams = ["stream", "streamAsync"] as const;
  // generate against itself has no overhead to limit: only a difference that should not be.
  const known = metric === "difference" ? (["control", ...streams] as const) : streams;
  const treatment = oneOf(fields["treatment"], known, `${path}.treatment`);
  if (typeof limit !== "number" || !(limit > 0 && limit < Infinity)) {
    throw invalid(`${path}.limit`, "a number > 0: a fraction of the time, or µs per token");
  }
  return { id, metric, treatment, limit, of: parseSelection(fields["of"], `${path}.of`) };
}

const identityFields = {
  id: "string",
  scenario: "string",
  generator: "string",
  engine: "string",
  model: "string",
  host: "string",
  tokens: "number",
  injectedFraction: "number",
  workload: "string",
  sampling: "string",
  concurrency: "number",
  ringCapacity: "number",
  publishBatch: "number",
  ringWait: "string",
  spinMicroseconds: "number",
  maxDelayMilliseconds: "number",
} as const satisfies Record<keyof CellIdentity, string>;

function parseSelection(json: unknown, path: string): Partial<CellIdentity> {
  const fields = fieldsOf(json, path, Object.keys(identityFields));
  for (const [field, kind] of Object.entries(identityFields)) {
    const value = fields[field];
    if (value !== undefined && typeof value !== kind)
      throw invalid(`${path}.${field}`, `a ${kind}`);
  }
  return fields;
}

function fieldsOf(json: unknown, path: string, known: readonly string[]): Record<string, unknown> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw invalid(path, "an object");
  }
  for (const field of Object.keys(json)) {
    if (!known.includes(field)) {
      throw invalid(`${path}.${field}`, `left out: the fields are ${known.join(", ")}`);
    }
  }
  return json as Record<string, unknown>;
}

function oneOf<Word extends string>(value: unknown, words: readonly Word[], path: string): Word {
  const found = words.find((word) => word === value);
  if (found === undefined) throw invalid(path, `one of ${words.join(", ")}`);
  return found;
}

function invalid(path: string, expected: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_CLAIMS", `"${path}" must be ${expected}.`);
}
