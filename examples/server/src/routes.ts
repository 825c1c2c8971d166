import type { IncomingMessage, ServerResponse } from "node:http";
import { answerCompletion, type CompletionService } from "./completions.js";
import { HttpFailure } from "./http-failure.js";
import { pageHeaders, type PageFile } from "./page.js";
import { send, sendJson } from "./send.js";

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface Route {
  /** GET answers HEAD too: Node leaves the body out. */
  readonly method: "GET" | "POST";
  readonly handle: Handler;
}

/** All that the server answers, by path. */
export function createRoutes(
  service: CompletionService,
  page: ReadonlyMap<string, PageFile>,
): ReadonlyMap<string, Route> {
  const { model, runtime } = service;
  const createdSeconds = Math.floor(Date.now() / 1000);
  const get = (value: () => unknown): Route => ({
    method: "GET",
    handle: (_, response) => sendJson(response, 200, value()),
  });
  return new Map<string, Route>([
    ...[...page].map(([path, { contentType, body }]): [string, Route] => [
      path,
      {
        method: "GET",
        handle: (_, response) => send(response, 200, contentType, body, pageHeaders),
      },
    ]),
    ["/health", get(() => ({ status: "ok" }))],
    ["/metrics", get(() => runtime.metrics())],
    [
      "/v1/models",
      get(() => ({
        object: "list",
        data: [{ id: model, object: "model", created: createdSeconds, owned_by: "streamgauge" }],
      })),
    ],
    ...(["completions", "chat"] as const).map((endpoint): [string, Route] => [
      endpoint === "chat" ? "/v1/chat/completions" : "/v1/completions",
      {
        method: "POST",
        handle: (request, response) => answerCompletion(endpoint, request, response, service),
      },
    ]),
  ]);
}

/** @throws HttpFailure 404 for a path that is not there, 405 for another method than its own */
export function findRoute(
  routes: ReadonlyMap<string, Route>,
  { method = "", url = "" }: IncomingMessage,
): Handler {
  const path = url.split("?", 1)[0] ?? "";
  const route = routes.get(path);
  if (route === undefined) {
    throw new HttpFailure(
      404,
      `There is nothing at ${path}. Try ${[...routes.keys()].join(", ")}.`,
    );
  }
  if (route.method === method || (route.method === "GET" && method === "HEAD")) return route.handle;
  throw new HttpFailure(405, `${path} takes ${route.method}, not ${method}.`, {
    headers: { allow: route.method === "GET" ? "GET, HEAD" : route.method },
  });
}
