import type { IncomingMessage, ServerResponse } from "node:http";
import { checkKey, type AccessRules } from "./access.js";
import { answerCompletion, type CompletionService } from "./completions.js";
import type { Endpoint } from "./completion-request.js";
import { HttpFailure, otherModel } from "./http-failure.js";
import { metricsContentType, type ServerMetrics } from "./metrics.js";
import { pageHeaders, type PageFile } from "./page.js";
import { send, sendJson } from "./send.js";

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

interface Route {
  /** GET answers HEAD too: Node leaves the body out. */
  readonly method: "GET" | "POST";
  /** Whether it is answered without the API key, where there is one. */
  readonly isOpen?: true;
  readonly handle: Handler;
}

/** Finds the handler of a request. */
export type Router = (request: IncomingMessage) => Handler;

/** All that the server answers, by path. */
export function createRouter(
  service: CompletionService & AccessRules & { readonly metrics: ServerMetrics },
  page: ReadonlyMap<string, PageFile>,
): Router {
  const { model, metrics } = service;
  const created = Math.floor(Date.now() / 1000);
  const about = { id: model, object: "model", created, owned_by: "streamgauge" };
  const get = (value: () => unknown): Route => ({
    method: "GET",
    handle: (_, response) => sendJson(response, 200, value()),
  });
  const post = (endpoint: Endpoint): Route => ({
    method: "POST",
    handle: (request, response) => answerCompletion(endpoint, request, response, service),
  });
  const routes = new Map<string, Route>([
    ...[...page].map(([path, file]): [string, Route] => [path, routeOf(file)]),
    // Tells no more than that there is a server.
    ["/health", { ...get(() => ({ status: "ok" })), isOpen: true }],
    ["/metrics", { method: "GET", handle: (_, response) => answerMetrics(metrics, response) }],
    ["/v1/models", get(() => ({ object: "list", data: [about] }))],
    ["/v1/completions", post("completions")],
    ["/v1/chat/completions", post("chat")],
  ]);
  const oneModel = get(() => about);

  return (request) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const asked = modelIn(path);
    const route = asked === undefined ? routes.get(path) : oneModel;
    if (route === undefined) {
      throw new HttpFailure(
        404,
        `There is nothing at ${path}. Try ${[...routes.keys()].join(", ")}.`,
      );
    }
    if (route.isOpen !== true) checkKey(request, service);
    requireMethod(route, request.method ?? "", path);
    if (asked !== undefined && asked !== model) throw otherModel(asked, model);
    return route.handle;
  };
}

async function answerMetrics(metrics: ServerMetrics, response: ServerResponse): Promise<void> {
  send(response, 200, metricsContentType, await metrics.text());
}

/** The page's files are anybody's: what they ask for is not. */
function routeOf({ contentType, body }: PageFile): Route {
  return {
    method: "GET",
    isOpen: true,
    handle: (_, response) => send(response, 200, contentType, body, pageHeaders),
  };
}

/** The model that is asked about; its name may have slashes. */
function modelIn(path: string): string | undefined {
  const prefix = "/v1/models/";
  if (!path.startsWith(prefix)) return undefined;
  const name = path.slice(prefix.length);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** @throws HttpFailure 405 for another method than the route's own */
function requireMethod(route: Route, method: string, path: string): void {
  if (route.method === method || (route.method === "GET" && method === "HEAD")) return;
  throw new HttpFailure(405, `${path} takes ${route.method}, not ${method}.`, {
    headers: { allow: route.method === "GET" ? "GET, HEAD" : route.method },
  });
}
