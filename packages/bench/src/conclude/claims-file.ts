import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import type { Claim } from "./claims.js";
import { claimMetric } from "../record/claims.js";
import { cellIdentityShape, identityFields, type CellIdentity } from "../record/identity.js";
import { MismatchError, isObject } from "../record/shape.js";
import { comparedTreatment, streamedTreatment } from "../record/treatment.js";

/**
 * What streamgauge promises, the widest first: synchronous streaming under 5 % and asynchronous
 * under 10 % for each token count of the embedded model; tighter because nothing hides it, 40 µs
 * per token on an engine that needs 100 µs for one; and both ways of streaming under 1 % of the
 * embedded model's time, under 2 % at 10 tokens.
 */
export const shippedClaimsFile: URL = new URL("../../claims.json", import.meta.url);

/**
 * Reads a file of claims: `{ "claims": […] }`, each a {@link Claim}.
 *
 * @throws StreamgaugeError `INVALID_CLAIMS` naming the file and the field
 */
export async function readClaims(file: string | URL): Promise<readonly Claim[]> {
  const path = file instanceof URL ? fileURLToPath(file) : file;
  try {
    return parseClaims(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    const reason =
      (Object(cause) as NodeJS.ErrnoException).code === "ENOENT"
        ? 'there is no such file. Give one with { "claims": […] }, as the claims.json of @streamgauge/bench is.'
        : messageOf(cause);
    throw new StreamgaugeError("INVALID_CLAIMS", `${path}: ${reason}`, { cause });
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
  const metric = orInvalid(claimMetric, fields["metric"], `${path}.metric`);
  // generate against itself has no overhead to limit: only a difference that should not be.
  const compared = metric === "difference" ? comparedTreatment : streamedTreatment;
  const treatment = orInvalid<Claim["treatment"]>(
    compared,
    fields["treatment"],
    `${path}.treatment`,
  );
  if (typeof limit !== "number" || !(limit > 0 && limit < Infinity)) {
    throw invalid(`${path}.limit`, "a number > 0: a fraction of the time, or µs per token");
  }
  return { id, metric, treatment, limit, of: parseSelection(fields["of"], `${path}.of`) };
}

function parseSelection(json: unknown, path: string): Partial<CellIdentity> {
  const fields = fieldsOf(json, path, identityFields);
  for (const field of Object.keys(fields) as (keyof CellIdentity)[]) {
    if (fields[field] !== undefined)
      orInvalid(cellIdentityShape[field], fields[field], `${path}.${field}`);
  }
  return fields;
}

function fieldsOf(json: unknown, path: string, known: readonly string[]): Record<string, unknown> {
  if (!isObject(json)) throw invalid(path, "an object");
  for (const field of Object.keys(json)) {
    if (!known.includes(field)) {
      throw invalid(`${path}.${field}`, `left out: the fields are ${known.join(", ")}`);
    }
  }
  return json;
}

/** Holds a part of a claim against the record's own check of it. */
function orInvalid<T>(
  check: (value: unknown, path: string) => asserts value is T,
  value: unknown,
  path: string,
): T {
  try {
    check(value, path);
    return value;
  } catch (error) {
    throw error instanceof MismatchError ? invalid(error.path, error.expected) : error;
  }
}

function invalid(path: string, expected: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_CLAIMS", `"${path}" must be ${expected}.`);
}
