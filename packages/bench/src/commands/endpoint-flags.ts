import { invalidOption } from "@streamgauge/core";
import type { Command } from "commander";
import type { EndpointOptions } from "../plan/endpoint-plan.js";
import { parseCount } from "./option-values.js";
import { readPrompts } from "./prompts-file.js";

/** What `bench` is told of an endpoint. */
export interface EndpointFlags {
  readonly url?: string;
  readonly model?: string;
  readonly chat?: true;
  readonly keyEnv?: string;
  readonly prompts?: string;
  readonly maxTokens?: number;
  readonly against?: string;
  readonly againstModel?: string;
  readonly againstKeyEnv?: string;
}

/** Adds those that name a server, for every command that asks one. */
export function addServerFlags(command: Command): Command {
  return command
    .option("--url <address>", "measure an OpenAI-compatible endpoint, as http://host:8000/v1")
    .option("--chat", "its chat endpoint instead of its completions endpoint")
    .option("--key-env <name>", "environment variable that holds its key");
}

/** Adds them to the command, beside its own `--model`. */
export function addEndpointFlags(command: Command): Command {
  return addServerFlags(command)
    .option("--prompts <file>", "prompts to take in turn: text lines, or .jsonl")
    .option("--max-tokens <count>", "most tokens of a generation (default: 64)", parseCount)
    .option("--against <address>", "another endpoint, measured in the same blocks")
    .option("--against-model <name>", "its name of the model (default: that of --model)")
    .option(
      "--against-key-env <name>",
      "environment variable that holds its key (default: no key)",
    );
}

/** In a help text. */
export const endpointExamples: readonly string[] = [
  "$ streamgauge bench --url http://127.0.0.1:8080/v1 --model whale --chat",
  "$ streamgauge bench --url https://example.org/v1 --model m --chat --key-env EXAMPLE_KEY",
];

/**
 * The endpoint that the flags name; undefined without `--url`.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for flags that have no meaning together, or no
 *   `--url` to belong to, and for a file of prompts that is none
 */
export async function endpointOf(flags: EndpointFlags): Promise<EndpointOptions | undefined> {
  const { url, model, chat, keyEnv, prompts, maxTokens, against } = flags;
  const { againstModel, againstKeyEnv } = flags;
  if (url === undefined) {
    requireNone("--url", {
      chat,
      keyEnv,
      prompts,
      maxTokens,
      against,
      againstModel,
      againstKeyEnv,
    });
    return undefined;
  }
  if (against === undefined) requireNone("--against", { againstModel, againstKeyEnv });
  for (const name of [keyEnv, againstKeyEnv]) {
    if (name === undefined || /^[A-Za-z_]\w*$/.test(name)) continue;
    // It can be the key itself, so it is not repeated.
    throw invalidOption(
      "--key-env takes the name of an environment variable, in letters, digits and underscores, " +
        "and not the key itself.",
    );
  }
  return {
    url,
    model,
    chat,
    keyEnv,
    maxTokens,
    prompts: prompts === undefined ? undefined : await readPrompts(prompts),
    against:
      against === undefined
        ? undefined
        : { url: against, model: againstModel, keyEnv: againstKeyEnv },
  };
}

/** The flags that a run takes again when it goes on; undefined without `--url`. */
export function endpointArguments(flags: EndpointFlags): readonly string[] | undefined {
  const { url, against, prompts } = flags;
  if (url === undefined) return undefined;
  return [
    "--url",
    shownAddress(url),
    ...(against === undefined ? [] : ["--against", shownAddress(against)]),
    ...(prompts === undefined ? [] : ["--prompts", prompts]),
  ];
}

/** Terminals are logged: what can hold a key is left to whoever knows it. */
function shownAddress(address: string): string {
  const { username, password, search } = new URL(address);
  return username + password + search === "" ? address : "<address>";
}

/** What a run that is resumed has in its record already. */
export function fixedByRecord({
  chat,
  keyEnv,
  maxTokens,
  ...flags
}: EndpointFlags): readonly unknown[] {
  return [chat, keyEnv, maxTokens, flags.againstModel, flags.againstKeyEnv];
}

function requireNone(needed: string, flags: Readonly<Record<string, unknown>>): void {
  const given = Object.keys(flags).filter((name) => flags[name] !== undefined);
  if (given.length === 0) return;
  const shown = given.map(
    (name) => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
  );
  throw invalidOption(`${shown.join(", ")} is about an endpoint: give its ${needed} too.`);
}
