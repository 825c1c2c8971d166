import { availableParallelism } from "node:os";
import { messageOf } from "@streamgauge/core";
import { createRuntime } from "@streamgauge/runtime";
import {
  addEngineFlags,
  engineOptionsOf,
  showLoading,
  type EngineFlags,
} from "@streamgauge/runtime/cli";
import { Command, InvalidArgumentError, Option } from "commander";
import { readHostName } from "./access.js";
import { createMetrics } from "./metrics.js";
import { startServer } from "./server.js";
import { closeOnSignals } from "./shutdown.js";

interface Flags extends EngineFlags {
  readonly port: number;
  readonly host: string;
  readonly workers: number;
  readonly maxQueue: number;
  readonly maxBodyBytes: number;
  readonly deadlineSeconds: number;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly apiKey?: string;
  readonly specialTokensInMessages?: true;
}

const requestTimeoutMilliseconds = 30_000;

const command = new Command("streamgauge-server")
  .description("Serve a model with OpenAI's interface, and a page to watch it write.")
  .option("--port <n>", "port to listen at; 0 takes any that is free", count(0, 65_535), 8080)
  .option("--host <address>", "address to listen at", "127.0.0.1")
  .option(
    "--allow-host <name>",
    "also answer to this name, beside localhost and --host; may be repeated",
    readHost,
  )
  .option(
    "--allow-origin <origin>",
    "let pages of this origin call, such as https://app.example; may be repeated",
    readOrigin,
  )
  .addOption(
    new Option("--api-key <key>", "what clients have to send as a bearer token").env(
      "STREAMGAUGE_API_KEY",
    ),
  );
const program = addEngineFlags(command)
  .option(
    "--workers <n>",
    "worker threads, each with a copy of the model and up to --max-batch completions",
    count(1),
    Math.max(1, Math.floor(availableParallelism() / 2)),
  )
  .option("--max-queue <n>", "most completions that wait for a worker; more get 429", count(0), 32)
  .option("--max-body-bytes <n>", "largest body of a request; more gets 413", count(1), 1_000_000)
  .option(
    "--deadline-seconds <n>",
    "most seconds for one completion, waiting included",
    count(1, 86_400),
    120,
  )
  .option(
    "--special-tokens-in-messages",
    "read special tokens such as <|im_end|> in messages; otherwise they are plain text",
  )
  .addHelpText(
    "after",
    `
The page is at http://<host>:<port>/. It and /health need no key. Without a key everybody who
reaches the server may use it. Other users of this machine see a key on the command line: set
STREAMGAUGE_API_KEY instead.

Ctrl-C lets running completions end for up to ten seconds; a second one does not wait.

Example:
  $ curl http://127.0.0.1:8080/v1/completions -H "content-type: application/json" \\
      -d '{"model": "pequod", "prompt": "Call me Ishmael.", "stream": true}'`,
  )
  .action(serve);

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}

async function serve(flags: Flags): Promise<void> {
  const { port, host, workers, maxQueue, maxBodyBytes, deadlineSeconds } = flags;
  checkKeyForm(flags.apiKey);
  const metrics = createMetrics();
  const { opened: runtime, cost } = await showLoading(process.stderr, workers, (onProgress) =>
    createRuntime({
      ...engineOptionsOf(flags),
      workers,
      maxQueue,
      observers: [metrics.observer],
      onProgress,
    }),
  );
  try {
    const { model: name } = runtime.describe();
    const staff = workers === 1 ? "1 worker" : `${workers} workers`;
    process.stdout.write(`${name}, ${staff}: ${cost}\n`);
    const server = await startServer({
      runtime,
      metrics,
      model: name,
      host,
      port,
      maxBodyBytes,
      deadlineMilliseconds: deadlineSeconds * 1000,
      requestTimeoutMilliseconds,
      allowedHosts: flags.allowHost,
      allowedOrigins: flags.allowOrigin,
      apiKey: flags.apiKey,
      specialTokensInMessages: flags.specialTokensInMessages,
      onFailure: (error) => console.error(error),
    });
    process.stdout.write(`Serving ${name} at ${server.url} (Ctrl-C ends)\n`);
    closeOnSignals(server);
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

function count(minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  return (text: string): number => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be an integer from ${minimum} to ${maximum}.`);
  };
}

function readHost(text: string, others: readonly string[] = []): string[] {
  const name = readHostName(text);
  if (name !== undefined && !/:\d*$/.test(text.replace(/^\[.*\]/, ""))) return [...others, name];
  throw new InvalidArgumentError(
    "It must be a name or an address without a port, such as my-machine.example.",
  );
}

function readOrigin(text: string, others: readonly string[] = []): string[] {
  const isOrigin = URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text;
  if (isOrigin) return [...others, text];
  throw new InvalidArgumentError(
    "It must be an origin as browsers send it, such as https://app.example or http://localhost:3000.",
  );
}

/** Not the option's own parser, because commander quotes what is wrong. */
function checkKeyForm(key: string | undefined): void {
  if (key === undefined || /^[!-~]{8,512}$/.test(key)) return;
  throw new Error(
    "The API key cannot be used: it must be 8 to 512 letters, digits and signs of ASCII, without " +
      "spaces. Make one with `openssl rand -hex 32`.",
  );
}
