import { createHash } from "node:crypto";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { readClaims, shippedClaimsFile } from "./claims-file.js";
import { identityOf, type Claim, type ClaimList } from "../record/index.js";

/**
 * Reads a file of claims as a run is given them, and a record keeps them.
 *
 * @throws StreamgaugeError `INVALID_CLAIMS` naming the file and the field
 */
export async function readClaimList(file: string | URL = shippedClaimsFile): Promise<ClaimList> {
  const claims = await readClaims(file);
  const isShipped = file instanceof URL && file.href === shippedClaimsFile.href;
  return {
    source: isShipped ? "shipped" : "file",
    // Its folder is nobody else's business.
    file: basename(file instanceof URL ? fileURLToPath(file) : file),
    sha256: hashClaims(claims),
    claims,
  };
}

/** Claims that a program gives. */
export function listClaims(claims: readonly Claim[]): ClaimList {
  return { source: "program", file: null, sha256: hashClaims(claims), claims };
}

/** The {@link ClaimList.sha256} of claims. */
export function hashClaims(claims: readonly Claim[]): string {
  return createHash("sha256")
    .update(JSON.stringify(claims.map(inOrder)))
    .digest("hex");
}

/**
 * Which claims of a file differ from a record's, in a sentence each; none when the claims are the
 * same, in any order.
 *
 * @param file how to call it
 */
export function differencesOfClaims(
  recorded: readonly Claim[],
  inFile: readonly Claim[],
  file: string,
): string[] {
  const find = (claims: readonly Claim[], id: string): Claim | undefined =>
    claims.find((claim) => claim.id === id);
  const missing = recorded
    .filter(({ id }) => find(inFile, id) === undefined)
    .map(({ id }) => `Claim ${id} is in the record and not in ${file}.`);
  const others = inFile.flatMap((claim) => {
    const known = find(recorded, claim.id);
    if (known === undefined) return [`Claim ${claim.id} is in ${file} and not in the record.`];
    const [here, there] = [inOrder(known), inOrder(claim)];
    const fields = (Object.keys(here) as (keyof Claim)[]).filter(
      (field) => JSON.stringify(here[field]) !== JSON.stringify(there[field]),
    );
    return fields.map(
      (field) =>
        `Claim ${claim.id}: its ${field} is ${JSON.stringify(here[field])} in the record and ` +
        `${JSON.stringify(there[field])} in ${file}.`,
    );
  });
  return [...missing, ...others];
}

function inOrder({ id, metric, treatment, limit, of }: Claim): Claim {
  return { id, metric, treatment, limit, of: identityOf(of) };
}
