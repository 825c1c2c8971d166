import { createRuntime, type RuntimeOptions } from "@streamgauge/runtime";
import OpenAI from "openai";
import { startServer, type RunningServer, type ServerOptions } from "../src/server.js";

/** A server on a free port, a client of it, and what the server took for its own failures. */
export interface Served extends AsyncDisposable {
  readonly server: RunningServer;
  readonly client: OpenAI;
  readonly model: string;
  readonly runtime: ServerOptions["runtime"];
  readonly failures: unknown[];
}

/** Serves a model, the embedded one unless another is given, on a free port. */
export async function serve(
  runtimeOptions: RuntimeOptions = {},
  overrides: Partial<ServerOptions> = {},
): Promise<Served> {
  const runtime = overrides.runtime ?? (await createRuntime(runtimeOptions));
  const { model } = runtime.describe();
  const failures: unknown[] = [];
  const server = await startServer({
    runtime,
    model,
    host: "127.0.0.1",
    port: 0,
    maxBodyBytes: 10_000,
    deadlineMilliseconds: 100_000,
    requestTimeoutMilliseconds: 30_000,
    onFailure: (error) => void failures.push(error),
    ...overrides,
  });
  return {
    server,
    model,
    runtime,
    failures,
    // Retries would hide what the server answers.
    client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none", maxRetries: 0 }),
    [Symbol.asyncDispose]: () => server.close(0),
  };
}
