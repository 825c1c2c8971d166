import { createHash } from "node:crypto";
import { invalidOption, type Prompt } from "@streamgauge/core";
import type { RecordedEndpoint, RecordedServer } from "../record/index.js";

/** A server as a user names it. */
export interface ServerOptions {
  /** What the endpoint's path is appended to, as `http://127.0.0.1:8000/v1`. Never recorded. */
  readonly url: string;
  /** The server's name of the model. Needed, except where a run is resumed. */
  readonly model?: string | undefined;
  /** Name of the environment variable that holds the key. Default: no key. */
  readonly keyEnv?: string | undefined;
}

/** An OpenAI-compatible endpoint to measure, instead of scenarios. */
export interface EndpointOptions extends ServerOptions {
  /** The chat endpoint instead of the completions endpoint. Default false. */
  readonly chat?: boolean | undefined;
  /** Continued in turn, block by block. Default: one of ours. */
  readonly prompts?: readonly Prompt[] | undefined;
  /** Most tokens of a generation; it may end before. Default 64. */
  readonly maxTokens?: number | undefined;
  /**
   * Another endpoint, measured in the same blocks with the same prompts. Its model is
   * the first one's unless it is named; its key never is.
   */
  readonly against?: ServerOptions | undefined;
}

/** A server, with all that it takes to ask it. Plain data, without the key itself. */
export interface ServerPlan extends RecordedServer {
  readonly url: string;
}

/** An endpoint, with all that it takes to measure it. Plain data, so that it crosses to processes. */
export interface EndpointPlan extends ServerPlan, Pick<RecordedEndpoint, "api" | "maxTokens"> {
  readonly prompts: readonly Prompt[];
  readonly against?: ServerPlan;
}

/** A model that continues it seldom ends at once. */
const defaultPrompt = "Tell the story of a long voyage at sea, from the first day to the last.";

const defaultMaxTokens = 64;

/** @throws StreamgaugeError `INVALID_OPTION` for what is missing or wrong */
export function planEndpoint(options: EndpointOptions): EndpointPlan {
  const { model, chat = false, prompts = [defaultPrompt], against } = options;
  const { maxTokens = defaultMaxTokens } = options;
  if (!Number.isInteger(maxTokens) || maxTokens < 2) {
    throw invalidOption(
      `The most tokens of a generation are ${maxTokens}; it must be an integer ≥ 2: with one ` +
        `token there is no time between two.`,
    );
  }
  if (prompts.length === 0) throw invalidOption("There is no prompt: give at least one.");
  if (model === undefined || model === "") {
    throw invalidOption(
      "An endpoint needs --model, the server's name of the model, as its /models say.",
    );
  }
  return {
    ...planServer(options, model, "--url"),
    api: chat ? "chat" : "completions",
    maxTokens,
    prompts,
    ...(against !== undefined && {
      against: planServer(against, against.model ?? model, "--against"),
    }),
  };
}

/**
 * The endpoint of a run that goes on: addresses and prompts are given again, because no
 * record holds them.
 *
 * @throws StreamgaugeError `INVALID_OPTION` where they are missing, or not those of the run
 */
export function resumeEndpoint(
  recorded: RecordedEndpoint | undefined,
  options: EndpointOptions | undefined,
): EndpointPlan | undefined {
  if (recorded === undefined) {
    if (options === undefined) return undefined;
    throw invalidOption("The run to resume measured no endpoint: leave --url out.");
  }
  const { against } = recorded;
  if (options === undefined || (against === undefined) !== (options.against === undefined)) {
    const also = against === undefined ? "no --against" : `--against for ${against.host}`;
    throw invalidOption(
      `The run to resume measured the endpoint at ${recorded.host}. Give its --url again, with ` +
        `${also}, and the same --prompts if it had any: a record holds no addresses and no prompts.`,
    );
  }
  const plan = planEndpoint({
    ...serverOf(options.url, recorded),
    chat: recorded.api === "chat",
    maxTokens: recorded.maxTokens,
    prompts: options.prompts,
    against: against && options.against && serverOf(options.against.url, against),
  });
  const again = recordEndpoint(plan);
  requireSame("the host", recorded.host, again.host);
  requireSame("the other host", against?.host, again.against?.host);
  requireSame("prompts with the SHA-256", recorded.prompts.sha256, again.prompts.sha256);
  return plan;
}

/** What the record keeps of it. */
export function recordEndpoint(plan: EndpointPlan): RecordedEndpoint {
  const { api, maxTokens, prompts, against } = plan;
  return {
    ...recordServer(plan),
    api,
    maxTokens,
    prompts: {
      count: prompts.length,
      sha256: createHash("sha256").update(JSON.stringify(prompts)).digest("hex"),
    },
    ...(against !== undefined && { against: recordServer(against) }),
  };
}

function planServer({ url, keyEnv }: ServerOptions, model: string, flag: string): ServerPlan {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    // What is no address can still hold a key, so it is not repeated.
    throw invalidOption(
      `${flag} is no http or https address; it must be one such as http://127.0.0.1:8000/v1.`,
    );
  }
  return { url, host: new URL(url).host, model, ...(keyEnv !== undefined && { keyEnv }) };
}

function serverOf(url: string, { model, keyEnv }: RecordedServer): ServerOptions {
  return { url, model, keyEnv };
}

function recordServer({ host, model, keyEnv }: ServerPlan): RecordedServer {
  return { host, model, ...(keyEnv !== undefined && { keyEnv }) };
}

function requireSame(what: string, then: string | undefined, now: string | undefined): void {
  if (then === now) return;
  throw invalidOption(
    `The run to resume measured ${what} ${then}, and this is ${now}: one record is of one thing. ` +
      `Give what the run was given, or begin a new run.`,
  );
}
