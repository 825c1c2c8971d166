import { invalidOption } from "@streamgauge/core";

/** A model on a hub. */
export interface HubName {
  /** As the hub writes it: `owner/name`. */
  readonly name: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

/** What a model option begins with that names a pulled model. */
export const hubPrefix = "hub:";

/** The revision of whoever names none. */
export const defaultRevision = "main";

const mostCharacters = 200;

/**
 * Reads `owner/name` or `owner/name@revision`. Both become paths in the cache, so nothing
 * passes that could lead out of it.
 *
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function parseHubName(text: string): HubName {
  const at = text.indexOf("@");
  const name = at === -1 ? text : text.slice(0, at);
  const revision = at === -1 ? defaultRevision : text.slice(at + 1);
  const isName =
    name.length <= mostCharacters &&
    /^(?:[\w.-]+\/)?[\w.-]+$/.test(name) &&
    !/--|\.\.|(?:^|\/)[.-]|[.-](?:\/|$)/.test(name);
  if (!isName) {
    throw invalidOption(
      `"${name}" is no model's name on a hub: write owner/name, of letters, digits, "_", "." and "-".`,
    );
  }
  return { name, revision: checkRevision(revision) };
}

/**
 * @returns the revision as it was given
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function checkRevision(revision: string): string {
  const isRevision =
    revision.length <= mostCharacters &&
    /^[\w.+-]+(?:\/[\w.+-]+)*$/.test(revision) &&
    !/\.\.|(?:^|\/)\.|\.(?:\/|$)|\.lock(?:\/|$)/.test(revision);
  if (isRevision) return revision;
  throw invalidOption(
    `"${revision}" is no revision: give a branch, a tag or a commit, as "main" or "refs/pr/1".`,
  );
}

/** Whether it is the whole hash of a commit. */
export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** What a user types to get a model, or more of it. */
export function pullCommand({ name, revision }: HubName, dtype?: string): string {
  const flags = [
    ...(revision === defaultRevision ? [] : ["--revision", revision]),
    ...(dtype === undefined ? [] : ["--dtype", dtype]),
  ];
  return ["streamgauge pull", name, ...flags].join(" ");
}
