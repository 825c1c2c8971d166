import type { MeasuredMode } from "./identity.js";
import type { ProfileFindings, ProfileMeasurement } from "./profile.js";
import type { ResultRecord } from "./result-record.js";
import type { Treatment } from "./treatment.js";
import { describeVariant, type CellVariation } from "./variant.js";

/** A profile whose kind is known. */
export type ProfileOf<Kind extends ProfileFindings["kind"]> = ProfileMeasurement & {
  readonly findings: Extract<ProfileFindings, { readonly kind: Kind }>;
};

/** The part of a record that profiles are found in. */
export type HasProfiles = Pick<ResultRecord, "profiles">;

/** The profiles of one kind, in the record's order. */
export function profilesOfKind<Kind extends ProfileFindings["kind"]>(
  { profiles = [] }: HasProfiles,
  kind: Kind,
): ProfileOf<Kind>[] {
  return profiles.filter((profile): profile is ProfileOf<Kind> => profile.findings.kind === kind);
}

/**
 * What a treatment of a cell allocates, where the same generator was profiled
 * in the same treatment: with as many tokens, if there is such a profile.
 * Profiles are of ordinary generations: there is none for a cell whose consumer,
 * sampling or concurrency is another.
 */
export function findAllocations(
  record: HasProfiles,
  cell: CellVariation & Pick<MeasuredMode, "generator" | "tokens">,
  treatment: Treatment,
): ProfileOf<"allocations"> | undefined {
  const { ringCapacity, publishBatch, maxDelayMilliseconds, ...others } = cell;
  if (describeVariant(others) !== "") return undefined;
  const found = profilesOfKind(record, "allocations").filter(
    (profile) => profile.generator === cell.generator && profile.treatment === treatment,
  );
  return found.find(({ tokens }) => tokens === cell.tokens) ?? found[0];
}
