import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, sep } from "node:path";
import { onTestFinished } from "vitest";

/** Bytes by their path in the model. */
export type Files = Readonly<Record<string, Buffer>>;

export interface HubRequest {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers in the server's place, where it returns true. */
export type Answer = (request: HubRequest, response: ServerResponse) => boolean;

/** A hub that holds one model, `owner/tiny`, and the store of large files that it redirects to. */
export interface HubServer {
  readonly endpoint: string;
  /** Of the hub itself, in the order they came. */
  readonly requests: HubRequest[];
  /** Of the store. */
  readonly storeRequests: HubRequest[];
  /** The commit of each revision. */
  readonly revisions: Map<string, string>;
  /** The files of each commit. */
  readonly commits: Map<string, Files>;
  /** What the hub's list says of a file, where it is not the truth. */
  listed: (entry: Record<string, unknown>) => Record<string, unknown>;
  hubAnswer: Answer;
  storeAnswer: Answer;
}

export const hubModel = "owner/tiny";
export const firstCommit = "1".repeat(40);

/** From this size on, a file is in the store, and its hash is one of its bytes. */
const leastStoredBytes = 4096;
const entriesPerPage = 3;

export async function filesIn(folder: string): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    files[path.slice(folder.length + 1).replaceAll(sep, "/")] = await readFile(path);
  }
  return files;
}

/** Serves the files as the model's first commit, which is "main", until the test ends. */
export async function serveHub(files: Files): Promise<HubServer> {
  const store = await listen((request, response) => {
    const asked = read(request);
    hub.storeRequests.push(asked);
    if (hub.storeAnswer(asked, response)) return;
    const [, commit = "", ...path] = asked.path.split("/");
    const bytes = hub.commits.get(commit)?.[path.join("/")];
    if (bytes === undefined) response.writeHead(404).end();
    else sendBytes(response, bytes, asked.range, { etag: '"stored"' });
  });
  const endpoint = await listen((request, response) => {
    const asked = read(request);
    hub.requests.push(asked);
    if (hub.hubAnswer(asked, response)) return;
    void answer(hub, store, endpoint, request, response);
  });
  const hub: HubServer = {
    endpoint,
    requests: [],
    storeRequests: [],
    revisions: new Map([["main", firstCommit]]),
    commits: new Map([[firstCommit, files]]),
    listed: (entry) => entry,
    hubAnswer: () => false,
    storeAnswer: () => false,
  };
  return hub;
}

/** Sends the beginning of a file of which more is announced, and breaks off. */
export function breakOff(response: ServerResponse, bytes: Buffer, sentBytes: number): true {
  response.writeHead(200, { "content-length": bytes.length });
  response.write(bytes.subarray(0, sentBytes), () => response.destroy());
  return true;
}

export function sendJson(response: ServerResponse, value: unknown, headers = {}): void {
  response.writeHead(200, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

function sendBytes(
  response: ServerResponse,
  bytes: Buffer,
  range: string | undefined,
  headers = {},
): void {
  const type = { "content-type": "application/octet-stream" };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  if (from === undefined) {
    response.writeHead(200, { ...type, ...headers, "content-length": bytes.length }).end(bytes);
    return;
  }
  const end = to === "" || to === undefined ? bytes.length : Math.min(bytes.length, Number(to) + 1);
  const part = bytes.subarray(Number(from), end);
  response.writeHead(206, {
    ...type,
    ...headers,
    "content-length": part.length,
    "content-range": `bytes ${from}-${end - 1}/${bytes.length}`,
  });
  response.end(part);
}

async function answer(
  hub: HubServer,
  store: string,
  endpoint: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? "", endpoint);
  const parts = url.pathname.slice(1).split("/").map(decodeURIComponent);
  const isApi = parts[0] === "api";
  const [owner, name, kind, revision = "", ...rest] = parts.slice(isApi ? 2 : 0);
  const commit = hub.revisions.get(revision) ?? revision;
  const files = hub.commits.get(commit);
  if (`${owner}/${name}` !== hubModel) {
    response.writeHead(401, { "x-error-code": "RepoNotFound" }).end();
  } else if (files === undefined) {
    response.writeHead(404, { "x-error-code": "RevisionNotFound" }).end();
  } else if (isApi && kind === "revision") {
    sendJson(response, { _id: "1", id: hubModel, sha: commit, lastModified: "2026-11-30T00:00Z" });
  } else if (isApi && kind === "tree") {
    const entries = Object.entries(files).map((file) => hub.listed(entryOf(...file)));
    const start = Number(url.searchParams.get("cursor") ?? "0");
    const next = start + entriesPerPage;
    url.searchParams.set("cursor", String(next));
    const link = next < entries.length ? { link: `<${url.href}>; rel="next"` } : {};
    sendJson(response, entries.slice(start, next), link);
  } else if (isApi && kind === "paths-info") {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { paths } = JSON.parse(body) as { paths: string[] };
    const found = paths.filter((path) => files[path] !== undefined);
    sendJson(
      response,
      found.map((path) => entryOf(path, files[path] ?? Buffer.alloc(0))),
    );
  } else if (kind === "resolve" && files[rest.join("/")] !== undefined) {
    const path = rest.join("/");
    const bytes = files[path] ?? Buffer.alloc(0);
    const { oid, lfs } = entryOf(path, bytes) as { oid: string; lfs?: { oid: string } };
    const etag = { etag: `"${oid}"`, "x-repo-commit": commit };
    if (lfs === undefined) sendBytes(response, bytes, request.headers.range, etag);
    else {
      response.writeHead(302, {
        ...etag,
        location: `${store}/${commit}/${path}`,
        "x-linked-etag": `"${lfs.oid}"`,
        "x-linked-size": bytes.length,
      });
      response.end();
    }
  } else response.writeHead(404, { "x-error-code": "EntryNotFound" }).end();
}

function entryOf(path: string, bytes: Buffer): Record<string, unknown> {
  const size = bytes.length;
  const oid = createHash("sha1").update(`blob ${size}\0`).update(bytes).digest("hex");
  const stored = { oid: createHash("sha256").update(bytes).digest("hex"), size, pointerSize: 130 };
  return { type: "file", path, size, oid, ...(size >= leastStoredBytes && { lfs: stored }) };
}

function read({ url = "", headers }: IncomingMessage): HubRequest {
  return { path: url, authorization: headers.authorization, range: headers.range };
}

async function listen(
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server: Server = createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
