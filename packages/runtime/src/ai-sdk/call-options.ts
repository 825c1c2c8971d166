import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { StreamgaugeError, type GenerationConfig } from "@streamgauge/core";

/** What a call has where the caller of the SDK does not set it. */
export type LanguageModelDefaults = Omit<
  GenerationConfig,
  "signal" | "seed" | "logprobs" | "topLogprobs"
>;

/** The name under which the SDK's `providerOptions` are ours. */
export const providerName = "streamgauge";

/**
 * The SDK's settings as ours. What this model cannot do is refused, not ignored.
 *
 * @throws StreamgaugeError `INVALID_CONFIG`, naming the setting and the remedy
 */
export function configOf(
  options: LanguageModelV4CallOptions,
  defaults: LanguageModelDefaults,
): GenerationConfig {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || taken.has(name)) continue;
    const remedy = (refusals[name] ?? unknownSetting)(options);
    if (remedy !== undefined) {
      throw invalid(`This model does not support the setting "${name}": ${remedy}.`);
    }
  }
  const { maxOutputTokens, temperature, topK, topP, seed, abortSignal } = options;
  const { stopSequences, presencePenalty, frequencyPenalty } = options;
  const sampling = withoutUndefined({ temperature, topK, topP });
  return {
    ...(Object.keys(sampling).length === 0 ? defaults : withoutSampling(defaults)),
    ...readProviderOptions(options),
    ...sampling,
    ...withoutUndefined({
      maxTokens: maxOutputTokens,
      stop: stopSequences,
      presencePenalty,
      frequencyPenalty,
      seed,
      signal: abortSignal,
    }),
  };
}

/** The headers are for providers behind HTTP; the SDK always sends some. */
const taken: ReadonlySet<string> = new Set([
  "prompt",
  "maxOutputTokens",
  "temperature",
  "topK",
  "topP",
  "stopSequences",
  "presencePenalty",
  "frequencyPenalty",
  "seed",
  "abortSignal",
  "headers",
  "providerOptions",
]);

/** Why a setting is refused, with the remedy; undefined where it asks for nothing. */
type Refusal = (options: LanguageModelV4CallOptions) => string | undefined;

const unknownSetting: Refusal = () => "it is not known here, so leave it out";

const refusals: Record<string, Refusal> = {
  tools: ({ tools = [] }) =>
    tools.length === 0 ? undefined : "it cannot call any; leave them out",
  // The SDK sends "auto" with every call.
  toolChoice: ({ toolChoice }) =>
    toolChoice?.type === "auto" || toolChoice?.type === "none"
      ? undefined
      : "it has no tools to choose; leave it out",
  responseFormat: ({ responseFormat }) =>
    responseFormat?.type === "text" ? undefined : "ask for text, and parse that",
  reasoning: ({ reasoning }) =>
    reasoning === "provider-default" || reasoning === "none"
      ? undefined
      : "it does not reason apart from its text; leave it out",
  includeRawChunks: ({ includeRawChunks }) =>
    includeRawChunks === true ? "there are no raw chunks; leave it out" : undefined,
};

const providerOptionNames: readonly string[] = [
  "minP",
  "typicalP",
  "repetitionPenalty",
  "logitBias",
  "noRepeatNgramSize",
  "minTokens",
  "stopTokenIds",
  "ignoreEos",
  "plainPrompt",
  "deadlineMilliseconds",
  "clientId",
] satisfies (keyof GenerationConfig)[];

/** Options of ours that the SDK has no setting for. Their values are checked by core. */
function readProviderOptions({ providerOptions }: LanguageModelV4CallOptions): GenerationConfig {
  const ours = withoutUndefined(providerOptions?.[providerName] ?? {});
  for (const name of Object.keys(ours)) {
    if (providerOptionNames.includes(name)) continue;
    throw invalid(
      `providerOptions.${providerName} has the unknown option "${name}". ` +
        `Known options: ${providerOptionNames.join(", ")}.`,
    );
  }
  return ours;
}

/** A call that samples in its own way takes none of the defaults for it. */
function withoutSampling(defaults: LanguageModelDefaults): LanguageModelDefaults {
  const { temperature: _t, topK: _k, topP: _p, minP: _m, typicalP: _y, ...others } = defaults;
  return others;
}

function withoutUndefined<T extends object>(settings: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const set = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as { [K in keyof T]?: NonNullable<T[K]> };
}

function invalid(message: string): StreamgaugeError {
  return new StreamgaugeError("INVALID_CONFIG", message);
}
