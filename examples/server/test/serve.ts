import { createRuntime, type RuntimeOptions } from "@streamgauge/runtime";
import OpenAI from "openai";
import { expect } from "vitest";
import { createMetrics } from "../src/metrics.js";
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
  const metrics = createMetrics();
  const runtime =
    overrides.runtime ??
    (await createRuntime({ ...runtimeOptions, observers: [metrics.observer] }));
  const { model } = runtime.describe();
  const failures: unknown[] = [];
  const server = await startServer({
    runtime,
    metrics,
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

/** What a call is rejected with; one that is not fails the test. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  return await promise.then(
    () => expect.fail("should have been rejected"),
    (error: unknown) => error,
  );
}

/** Gives the event loop turns until something holds; the test's time-out ends what never does. */
export async function untilHolds(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
