import { availableParallelism } from "node:os";
import { messageOf } from "@streamgauge/core";
import { createRuntime } from "@streamgauge/runtime";
import {
  addEngineFlags,
  engineOptionsOf,
  showLoading,
  type EngineFlags,
} from "@streamgauge/runtime/cli";
import { Command, InvalidArgumentError } from "commander";
import { startServer } from "./server.js";
import { closeOnSignals } from "./shutdown.js";

interface Flags extends EngineFlags {
  readonly port: number;
  readonly host: string;
  readonly workers: number;
  readonly maxQueue: number;
  readonly maxBodyBytes: number;
  readonly deadlineSeconds: number;
}

const requestTimeoutMilliseconds = 30_000;

const command = new Command("streamgauge-server")
  .description("Serve a model with OpenAI's interface, and a page to watch it write.")
  .option("--port <n>", "port to listen at; 0 takes any that is free", count(0, 65_535), 8080)
  .option("--host <address>", "address to listen at", "127.0.0.1");
const program = addEngineFlags(command)
  .option(
    "--workers <n>",
    "worker threads, each with a copy of the model and as many completions as --max-batch says",
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
  .addHelpText(
    "after",
    `
There is no authentication: listen at other addresses than this machine's own only
where everybody may use it.

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
  const { opened: runtime, cost } = await showLoading(process.stderr, workers, (onProgress) =>
    createRuntime({ ...engineOptionsOf(flags), workers, maxQueue, onProgress }),
  );
  try {
    const { model: name } = runtime.describe();
    const staff = workers === 1 ? "1 worker" : `${workers} workers`;
    process.stdout.write(`${name}, ${staff}: ${cost}\n`);
    const server = await startServer({
      runtime,
      model: name,
      host,
      port,
      maxBodyBytes,
      deadlineMilliseconds: deadlineSeconds * 1000,
      requestTimeoutMilliseconds,
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
