import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { invalidOption, printable } from "@streamgauge/core";
import { Command, InvalidArgumentError } from "commander";
import { runAgent, type AgentEvent } from "../agent/run-agent.js";
import { addRedisFlags, addressOf, type RedisFlags } from "./redis-options.js";

interface AgentFlags extends RedisFlags {
  readonly label: string;
  readonly machine?: string;
  readonly url?: string;
  readonly keyEnv?: string;
  readonly spool?: string;
  readonly idle?: number;
}

/** The `agent` command: measures here for runs of other machines. */
export function agentCommand(): Command {
  const command = new Command("agent")
    .description("Measure here for runs that others begin with bench --fleet, one part at a time.")
    .argument("[modules...]", "JavaScript modules with scenarios that it may run")
    .requiredOption("--label <text>", "what you call this kind of machine, as c7g.large")
    .option("--machine <name>", "name of this machine (default: made of its host name)", parseName)
    .option("--url <address>", "an endpoint that it may load, as http://host:8000/v1")
    .option("--key-env <name>", "environment variable here that holds the endpoint's key")
    .option("--spool <folder>", "where raw samples lie until they are in Redis")
    .option("--idle <seconds>", "end after so long without a part (default: never)", parseSeconds);
  return addRedisFlags(command)
    .addHelpText(
      "after",
      `
One agent for each machine, and nothing else on it. It takes parts of runs of its own commit and
versions only, and runs no code but what is installed here. The first Ctrl-C ends it after the current
generation; its part is measured again elsewhere.

Examples:
  $ streamgauge agent --redis redis://10.0.0.5 --label c7g.large
  $ streamgauge agent --redis redis://10.0.0.5 --label c7g.large --url http://10.0.0.9/v1`,
    )
    .action(async (modules: string[], flags: AgentFlags) => {
      const { label, machine, prefix, url, keyEnv, spool, idle } = flags;
      if (keyEnv !== undefined && url === undefined) {
        throw invalidOption("--key-env holds the key of an endpoint: give its --url too.");
      }
      const ending = new AbortController();
      const end = (): void => {
        // The second one does not wait for what it measures.
        if (ending.signal.aborted) process.exit(130);
        process.stderr.write("Ending after the current generation; once more to exit at once.\n");
        ending.abort();
      };
      process.on("SIGINT", end).on("SIGTERM", end);
      try {
        await runAgent({
          redis: addressOf(flags),
          prefix,
          label,
          machine,
          modules: modules.map((path) => pathToFileURL(resolve(path)).href),
          endpoint: url === undefined ? undefined : { url, keyEnv },
          spoolFolder: spool,
          idleSeconds: idle,
          signal: ending.signal,
          onEvent: printEvent,
        });
      } finally {
        process.off("SIGINT", end).off("SIGTERM", end);
      }
    });
}

function printEvent({ kind, text }: AgentEvent): void {
  process.stderr.write(`${new Date().toISOString()} ${kind.padEnd(11)} ${printable(text)}\n`);
}

function parseName(text: string): string {
  if (/^[\w.-]{1,80}$/.test(text)) return text;
  throw new InvalidArgumentError(
    "It must be 1 to 80 letters, digits, dots, dashes or underscores.",
  );
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds > 0 && seconds < Infinity) return seconds;
  throw new InvalidArgumentError("It must be a number of seconds > 0.");
}
