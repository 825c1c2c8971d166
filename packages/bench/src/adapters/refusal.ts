import {
  StreamgaugeError,
  createGenerator,
  failedSource,
  requestedOptions,
  type Collection,
  type Generator,
  type OptionalOption,
  type ResolvedConfig,
} from "@streamgauge/core";

/** For each option of a generation: undefined if it is honoured, or else why not and what to do. */
export type Remedies = Readonly<Record<OptionalOption, string | undefined>>;

/** For most options that a generator does not have. */
export const notThere = "it has no such option. Leave it out.";

/**
 * The error for the first option that is set and cannot be honoured. An option
 * that is quietly ignored would make two runs differ in more than they say.
 */
export function refuseOptions(
  config: ResolvedConfig,
  remedies: Remedies,
): StreamgaugeError | undefined {
  for (const option of requestedOptions(config)) {
    const remedy = remedies[option];
    if (remedy !== undefined) return optionRefused(option, remedy);
  }
  return undefined;
}

/** `INVALID_CONFIG` for an option that core knows and the generator behind does not. */
export function optionRefused(option: string, remedy: string): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_CONFIG",
    `Option "${option}" cannot be honoured by this generator: ${remedy}`,
  );
}

/** A collection that failed before it began: core's `failedSource` for `generate()`. */
export function failedCollection(error: StreamgaugeError): Collection {
  const finished: Promise<never> = Promise.reject(error);
  // Whoever awaits it sees the rejection; nobody has to.
  finished.catch(() => undefined);
  return { stop: () => undefined, finished };
}

/** A generator of which every call that is valid rejects with the error. */
export function refusingGenerator(error: StreamgaugeError): Generator {
  return createGenerator({
    collect: () => failedCollection(error),
    stream: () => failedSource(error),
  });
}
