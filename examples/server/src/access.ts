import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpFailure } from "./http-failure.js";

/** Who may ask this server, and by which name. */
export interface AccessRules {
  /** Names and addresses that it answers to beside this machine's own. Default: none. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Origins, such as "https://app.example", whose pages may ask it. Default: none but its own. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** What a client has to know. Default: nothing. */
  readonly apiKey?: string | undefined;
}

/**
 * Checks the name by which a request asks for the server, and the page that it comes from. A
 * page of another site can give its own name this machine's address (DNS rebinding), and
 * would then be the server's own page to a browser: the name gives it away.
 *
 * @returns whether all is said: a browser only asked whether it may ask
 * @throws HttpFailure 403
 */
export function checkSender(
  request: IncomingMessage,
  response: ServerResponse,
  { allowedHosts = [], allowedOrigins = [] }: AccessRules,
): boolean {
  const { host, origin } = request.headers;
  const name = host === undefined ? undefined : readHostName(host);
  const local = request.socket.localAddress ?? "";
  if (name === undefined || !(isLoopback(name) || [...allowedHosts, local].some(isNamed(name)))) {
    throw new HttpFailure(
      403,
      `This server does not answer to the host ${JSON.stringify(host ?? "")}: ask for "localhost", or ` +
        `start the server with --allow-host and the name.`,
      { code: "host_not_allowed", headers: { connection: "close" } },
    );
  }
  if (origin === undefined) return false;
  if (allowedOrigins.includes(origin)) return allowOrigin(request, response, origin);
  if (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()) return false;
  throw new HttpFailure(
    403,
    `Pages of ${JSON.stringify(origin)} may not ask this server: start it with --allow-origin and ` +
      `that origin.`,
    { code: "origin_not_allowed", headers: { connection: "close" } },
  );
}

/** @throws HttpFailure 401 */
export function checkKey({ headers }: IncomingMessage, { apiKey }: AccessRules): void {
  if (apiKey === undefined) return;
  const given = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (given !== undefined && timingSafeEqual(digest(given), digest(apiKey))) return;
  throw new HttpFailure(
    401,
    `${given === undefined ? "The API key is missing" : "The API key is wrong"}: send ` +
      `"Authorization: Bearer " and the key that the server was started with.`,
    { code: "invalid_api_key", headers: { "www-authenticate": "Bearer" } },
  );
}

/** The name or address in a Host header, without its port; undefined if it is none. */
export function readHostName(host: string): string | undefined {
  if (!/^(\[[\da-f:.]+\]|[^\s:/?#@\\[\]]+)(:\d*)?$/i.test(host)) return undefined;
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

/** Whether it is this name; addresses may have no brackets, and be IPv4 as IPv6. */
function isNamed(name: string): (allowed: string) => boolean {
  return (allowed) => {
    const address = allowed.replace(/^::ffff:(?=\d+\.)/i, "");
    return readHostName(/^[^[].*:/.test(address) ? `[${address}]` : address) === name;
  };
}

/** Tells the browser that the page may read the answer; what it asks beforehand is answered. */
function allowOrigin(request: IncomingMessage, response: ServerResponse, origin: string): boolean {
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("access-control-expose-headers", "retry-after");
  response.setHeader("vary", "origin");
  const isQuestion =
    request.method === "OPTIONS" && "access-control-request-method" in request.headers;
  if (!isQuestion) return false;
  const wanted = request.headers["access-control-request-headers"] ?? "";
  response.writeHead(204, {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": /^[\w\-, ]+$/.test(wanted) ? wanted : "content-type",
    "access-control-max-age": "600",
  });
  response.end();
  return true;
}

/** As long for every key, so that comparing takes as long. */
function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
