import type { Stage } from "./stage.js";

/** Options of the command line that ask for a profile. */
export const profileFlags: readonly {
  readonly flag: string;
  /** As commander calls its value. */
  readonly name: string;
  readonly kind: string;
  readonly description: string;
}[] = [];

/** The kinds of profiles that can be asked for. */
export const profileKinds: readonly string[] = [];

/** Adds the profiles that are asked for to the stages that suit them. */
export function withProfiles(stages: readonly Stage[], kinds: readonly string[]): readonly Stage[] {
  return kinds.length === 0 ? stages : stages;
}
