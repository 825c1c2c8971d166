import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { checkSender, type AccessRules } from "./access.js";
import type { CompletionService } from "./completions.js";
import { HttpFailure, toHttpFailure } from "./http-failure.js";
import type { ServerMetrics } from "./metrics.js";
import { readPage } from "./page.js";
import { createRouter } from "./routes.js";
import { sendJson } from "./send.js";

export interface ServerOptions extends CompletionService, AccessRules {
  /** What `/metrics` says. Its observer has to be the runtime's; the runtime is watched from here on. */
  readonly metrics: ServerMetrics;
  readonly host: string;
  /** 0 takes any that is free. */
  readonly port: number;
  /** Most milliseconds for a request's headers and body to arrive. */
  readonly requestTimeoutMilliseconds: number;
}

/** A server that listens. */
export interface RunningServer {
  readonly url: string;
  /**
   * Takes no more requests, lets those that run end for as long as `graceMilliseconds`,
   * then closes the runtime, which cuts short what still runs.
   */
  close(graceMilliseconds: number): Promise<void>;
}

/** How often Node looks for requests that take too long. */
const timeoutCheckMilliseconds = 500;
/** For the last words of streams that were cut short to reach their clients. */
const farewellMilliseconds = 1_000;
/** How much longer than a completion may take a connection may be quiet. */
const quietMarginMilliseconds = 10_000;

/** Starts to listen. The runtime is the server's from now on: it closes it. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { runtime, metrics, onFailure, host, port, requestTimeoutMilliseconds } = options;
  metrics.watch(runtime);
  const findRoute = createRouter(options, await readPage());
  // Who listens at a name is asked for by it.
  const rules = { ...options, allowedHosts: [host, ...(options.allowedHosts ?? [])] };
  let isClosing = false;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    response.once("close", () => {
      // It may have kept its connection alive for a next request.
      if (isClosing) server.closeIdleConnections();
    });
    try {
      if (checkSender(request, response, rules)) return;
      if (isClosing) {
        throw new HttpFailure(503, "The server is shutting down.", {
          code: "CLOSED",
          headers: { connection: "close" },
        });
      }
      await findRoute(request)(request, response);
    } catch (error) {
      // A client that has gone needs no answer, and what it did is no failure of ours.
      if (response.destroyed || request.socket.destroyed) return;
      const failure = toHttpFailure(error);
      if (failure.status >= 500) onFailure(error);
      if (response.headersSent) response.destroy();
      else sendJson(response, failure.status, failure.body, failure.headers);
    }
  };

  const server = createServer(
    {
      requestTimeout: requestTimeoutMilliseconds,
      headersTimeout: requestTimeoutMilliseconds,
      connectionsCheckingInterval: timeoutCheckMilliseconds,
    },
    (request, response) => void answer(request, response),
  );
  // Ends a connection whose client takes nothing more, when its completion is over.
  server.timeout = options.deadlineMilliseconds + quietMarginMilliseconds;
  await listen(server, port, host);

  return {
    url: addressOf(server),
    async close(graceMilliseconds) {
      isClosing = true;
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      await within(graceMilliseconds, closed);
      try {
        await runtime.close();
        await within(farewellMilliseconds, closed);
      } finally {
        server.closeAllConnections();
      }
      await closed;
    },
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function addressOf(server: Server): string {
  const { address, family, port } = server.address() as AddressInfo;
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

async function within(milliseconds: number, promise: Promise<void>): Promise<void> {
  const timeout = new AbortController();
  try {
    await Promise.race([promise, sleep(milliseconds, undefined, { signal: timeout.signal })]);
  } finally {
    timeout.abort();
  }
}
