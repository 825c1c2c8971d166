import { StreamgaugeError, invalidOption, isStreamgaugeError } from "@streamgauge/core";
import { createOpenAIGenerator } from "../adapters/index.js";
import type { EndpointPlan, ServerPlan } from "../plan/endpoint-plan.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";

/** Enough to see both kinds of answers. */
const trialTokens = 8;

/** How an endpoint is asked. */
export interface EndpointUse extends Pick<EndpointPlan, "api" | "prompts"> {
  /** Whether it is only streamed from: then it need not count the tokens of whole answers. */
  readonly isOnlyStreamed?: boolean;
  /** Whether generations may ask it for `ignoreEos`. The trial does, then. */
  readonly ignoreEos?: boolean;
}

/**
 * A server of a plan as a generator, after it has answered once as one text and once as a
 * stream: what is wrong with it shows before any block.
 *
 * @throws StreamgaugeError `ENDPOINT_FAILED` where it does not answer as an
 *   OpenAI-compatible endpoint; `INVALID_OPTION` for a key that is not there
 */
export async function openEndpoint(
  server: ServerPlan,
  { api, prompts, isOnlyStreamed = false, ignoreEos = false }: EndpointUse,
  signal?: AbortSignal,
): Promise<ScenarioGenerator> {
  const generator = createOpenAIGenerator({
    baseURL: server.url,
    model: server.model,
    endpoint: api,
    apiKey: keyOf(server),
    ...(ignoreEos && { extensions: ["ignore_eos" as const] }),
  });
  const config = {
    maxTokens: trialTokens,
    temperature: 0,
    ...(ignoreEos && { ignoreEos }),
    ...(signal !== undefined && { signal }),
  };
  const [prompt] = prompts;
  if (prompt === undefined) throw invalidOption("There is no prompt: give at least one.");
  let chunks = 0;
  try {
    const whole = isOnlyStreamed ? undefined : await generator.generate(prompt, config);
    const streamed = await generator.generateStream(prompt, () => void (chunks += 1), config);
    const description = {
      host: server.host,
      model: server.model,
      api,
      trial: { tokens: streamed.usage.completionTokens, chunks },
      terms: [...new Set([...(whole?.terms ?? []), ...streamed.terms])],
    };
    return {
      ...generator,
      describe: () => description,
      close: () => Promise.resolve(),
    };
  } catch (cause) {
    if (!isStreamgaugeError(cause)) throw cause;
    const key =
      server.keyEnv === undefined ? "no key is sent" : `the key is that of ${server.keyEnv}`;
    throw new StreamgaugeError(
      "ENDPOINT_FAILED",
      `The endpoint at ${server.host} does not answer, so nothing is measured. ${cause.message} ` +
        `What was asked: ${api} of the model "${server.model}"; ${key}. Change --url, --model, ` +
        `--chat or --key-env if one of them is wrong.`,
      { cause },
    );
  }
}

/**
 * Tries the servers of a plan, as {@link openEndpoint} does, and keeps nothing.
 *
 * @throws StreamgaugeError as `openEndpoint`
 */
export async function tryEndpoint(plan: EndpointPlan, signal?: AbortSignal): Promise<void> {
  for (const server of [plan, ...(plan.against === undefined ? [] : [plan.against])]) {
    await (await openEndpoint(server, plan, signal)).close();
  }
}

/** From the environment and nowhere else: command lines and records are seen by others. */
function keyOf({ keyEnv, host }: ServerPlan): string | undefined {
  if (keyEnv === undefined) return undefined;
  const key = process.env[keyEnv];
  if (key !== undefined && key !== "") return key;
  throw invalidOption(
    `The environment variable ${keyEnv}, which is to hold the key for ${host}, is not set: ` +
      `export it, or name another with --key-env.`,
  );
}
