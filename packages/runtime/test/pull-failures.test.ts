import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { createInlineGenerator, pullModel, type PullOptions } from "@streamgauge/runtime";
import { pullCommand } from "@streamgauge/runtime/cli";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  buildHubModel,
  expectNoModel,
  hubGraphPath,
  opens,
  repositoryIn,
  serveHubModel,
} from "./hub-model.js";
import {
  breakOff,
  filesIn,
  firstCommit,
  hubModel,
  sendJson,
  type HubRequest,
  type HubServer,
} from "./hub-server.js";
import { temporaryFolder } from "./temporary-folder.js";

const secret = "hf_secret";
const secondCommit = "2".repeat(40);

let cache: string;
let files: Record<string, Buffer>;
let graph: Buffer;
let hub: HubServer;
let options: PullOptions;

beforeEach(async () => {
  cache = await temporaryFolder();
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_TOKEN", secret);
  ({ hub, files, graph, options } = await serveHubModel());
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** An error with this code and text, and without the token. */
function saying(code: string, { source, flags }: RegExp): object {
  const message = new RegExp(`^(?![^]*${secret})[^]*?(?:${source})`, flags);
  return { code, message: expect.stringMatching(message) as string };
}

const blobOf = (bytes: Buffer): string =>
  join(repositoryIn(cache), "blobs", createHash("sha256").update(bytes).digest("hex"));

/** Comparing the bytes themselves would take seconds. */
async function hashesIn(folder: string): Promise<string[]> {
  const entries = Object.entries(await filesIn(folder));
  return entries.map(
    ([path, bytes]) => `${path} ${createHash("sha1").update(bytes).digest("hex")}`,
  );
}

describe("an interrupted pull", () => {
  const half = (): number => Math.floor(graph.length / 2);

  it("goes on from where it stopped", async () => {
    hub.storeAnswer = (_, response) => breakOff(response, graph, half());
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("HUB_FAILED", /broke off .*pull again.*is kept/s),
    );
    expectNoModel(cache);
    expect(await opens()).toBe(false);
    const keptBytes = (await stat(`${blobOf(graph)}.incomplete`)).size;
    expect(keptBytes).toBe(half());
    hub.storeAnswer = () => false;
    const { downloadedBytes } = await pullModel(options);
    expect(hub.storeRequests.at(-1)?.range).toBe(`bytes=${keptBytes}-`);
    expect(downloadedBytes).toBe(graph.length - keptBytes);
    expect(graph.equals(await readFile(blobOf(graph)))).toBe(true);
    expect(await opens()).toBe(true);
  });

  it("begins anew with a server that takes no ranges", async () => {
    hub.storeAnswer = (_, response) => breakOff(response, graph, half());
    await expect(pullModel(options)).rejects.toMatchObject(saying("HUB_FAILED", /broke off/));
    hub.storeAnswer = (_, response) => {
      response.writeHead(200).end(graph);
      return true;
    };
    await pullModel(options);
    expect(graph.equals(await readFile(blobOf(graph)))).toBe(true);
    expect(await opens()).toBe(true);
  });

  it("refuses another part than it asked for", async () => {
    hub.storeAnswer = (_, response) => breakOff(response, graph, half());
    await expect(pullModel(options)).rejects.toMatchObject(saying("HUB_FAILED", /broke off/));
    hub.storeAnswer = (_, response) => {
      const range = `bytes 0-${graph.length - 1}/${graph.length}`;
      response.writeHead(206, { "content-range": range }).end(graph);
      return true;
    };
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("HUB_FAILED", /another part of onnx\/model\.onnx/),
    );
    expectNoModel(cache);
  });

  it("refuses what has changed in between, and starts over the next time", async () => {
    hub.storeAnswer = (_, response) => breakOff(response, graph, half());
    await expect(pullModel(options)).rejects.toMatchObject(saying("HUB_FAILED", /broke off/));
    const altered = Buffer.from(graph);
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    hub.storeAnswer = ({ range }, response) => {
      const from = Number(/\d+/.exec(range ?? "")?.[0] ?? 0);
      const headers = { "content-range": `bytes ${from}-${graph.length - 1}/${graph.length}` };
      response.writeHead(206, headers).end(altered.subarray(from));
      return true;
    };
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("MODEL_CORRUPT", /onnx\/model\.onnx .*its hash is .*refused/s),
    );
    expectNoModel(cache);
    expect(existsSync(`${blobOf(graph)}.incomplete`)).toBe(false);
    hub.storeAnswer = () => false;
    await pullModel(options);
    expect(await opens()).toBe(true);
  });

  it("ends at Ctrl-C, and says how to go on", async () => {
    const output = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    hub.storeAnswer = (_, response) => {
      response.writeHead(200, { "content-length": graph.length });
      // The rest never comes.
      response.write(graph.subarray(0, half()), () => process.emit("SIGINT", "SIGINT"));
      return true;
    };
    const exitCode = process.exitCode;
    await pullCommand().parseAsync([hubModel, "--endpoint", hub.endpoint], { from: "user" });
    expect(process.exitCode).toBe(130);
    process.exitCode = exitCode;
    expect(output.mock.calls.join("")).toContain("The same command goes on from here.");
    expectNoModel(cache);
    expect(await opens()).toBe(false);
    hub.storeAnswer = () => false;
    await pullModel(options);
    expect(await opens()).toBe(true);
  });

  it("rejects with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const onProgress = ({ file }: { file: string }): void => {
      if (file === hubGraphPath) controller.abort(reason);
    };
    const pull = pullModel({ ...options, signal: controller.signal, onProgress });
    await expect(pull).rejects.toBe(reason);
    expectNoModel(cache);
  });
});

describe("what arrives", () => {
  it.each(["config.json", hubGraphPath])("is refused where %s was altered", async (path) => {
    const altered = Buffer.from(files[path] ?? Buffer.alloc(0));
    altered[10] = (altered[10] ?? 0) ^ 1;
    const send = ({ path: asked }: HubRequest, response: ServerResponse): boolean => {
      if (!asked.endsWith(path)) return false;
      response.writeHead(200).end(altered);
      return true;
    };
    hub.hubAnswer = send;
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("MODEL_CORRUPT", /arrived damaged or altered: its hash is/),
    );
    expectNoModel(cache);
  });

  it.each<[string, (bytes: Buffer) => Buffer, string, RegExp]>([
    ["too short", (bytes) => bytes.subarray(1), "HUB_FAILED", /ended after \d+ of \d+ bytes/],
    ["too long", (bytes) => Buffer.concat([bytes, bytes]), "MODEL_CORRUPT", /and more came/],
  ])("is refused where it is %s", async (_, change, code, message) => {
    hub.storeAnswer = (__, response) => {
      response.writeHead(200).end(change(graph));
      return true;
    };
    await expect(pullModel(options)).rejects.toMatchObject(saying(code, message));
    expectNoModel(cache);
  });

  it("leaves an earlier revision as it was", async () => {
    await pullModel(options);
    const before = await hashesIn(repositoryIn(cache));
    hub.commits.set(secondCommit, { ...files, [hubGraphPath]: Buffer.concat([graph, graph]) });
    hub.revisions.set("main", secondCommit);
    hub.storeAnswer = (_, response) => {
      response.writeHead(200).end(Buffer.alloc(graph.length * 2));
      return true;
    };
    await expect(pullModel(options)).rejects.toMatchObject(saying("MODEL_CORRUPT", /its hash is/));
    expect(await hashesIn(repositoryIn(cache))).toEqual(before);
    expect(await opens()).toBe(true);
  });
});

describe("a hub's answers", () => {
  const status =
    (code: number, headers = {}) =>
    (_: HubRequest, response: ServerResponse) => {
      response.writeHead(code, headers).end("no");
      return true;
    };
  const page = (_: HubRequest, response: ServerResponse): true => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>Log in</html>");
    return true;
  };

  it.each<[string, HubServer["hubAnswer"], string, RegExp]>([
    [
      "401",
      status(401),
      "HUB_DENIED",
      /answers 401 for owner\/tiny\. The token in HF_TOKEN may not/,
    ],
    ["403", status(403), "HUB_DENIED", /accept its conditions at http.*\/owner\/tiny/],
    ["404", status(404), "MODEL_NOT_FOUND", /answers 404 for owner\/tiny at main/],
    ["429", status(429, { "retry-after": "7" }), "HUB_FAILED", /asked too often\. .* in 7 seconds/],
    ["429 without a time", status(429), "HUB_FAILED", /asked too often\. .* in some minutes/],
    ["500", status(500), "HUB_FAILED", /answers 500 .*Pull again later/],
    ["a page", page, "HUB_FAILED", /does not answer as a hub does.*--endpoint/s],
    [
      "a page instead of the list",
      (request, response) => request.path.includes("/tree/") && page(request, response),
      "HUB_FAILED",
      /does not answer as a hub does.*--endpoint/s,
    ],
    [
      "a redirect to a page",
      (request, response) =>
        request.path === "/login"
          ? page(request, response)
          : status(302, { location: "/login" })(request, response),
      "HUB_FAILED",
      /does not answer as a hub does.*login page/s,
    ],
    [
      "no commit",
      (_, response) => (sendJson(response, { sha: "../../x" }), true),
      "HUB_FAILED",
      /names no commit for owner\/tiny at main/,
    ],
  ])("are refused with the remedy: %s", async (_, answer, code, message) => {
    hub.hubAnswer = answer;
    await expect(pullModel(options)).rejects.toMatchObject(saying(code, message));
    expect(await readdir(cache)).toEqual([]);
  });

  it("are refused with the remedy without a token", async () => {
    vi.stubEnv("HF_TOKEN", undefined);
    hub.hubAnswer = status(401);
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("HUB_DENIED", /set HF_TOKEN \(or another variable/),
    );
  });

  it("are refused of files too", async () => {
    hub.storeAnswer = page;
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("HUB_FAILED", /sends a page for onnx\/model\.onnx/),
    );
    hub.storeAnswer = status(403);
    await expect(pullModel(options)).rejects.toMatchObject(saying("HUB_DENIED", /answers 403/));
    hub.storeAnswer = status(404);
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("MODEL_NOT_FOUND", /answers 404 .* no such model, revision or file/),
    );
    hub.storeAnswer = status(429);
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("HUB_FAILED", /asked too often.*What has arrived is kept/),
    );
    expectNoModel(cache);
  });

  it("may fail to come", async () => {
    hub.hubAnswer = (_, response) => Boolean(response.destroy());
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("HUB_FAILED", /cannot be reached, or broke off/),
    );
  });

  it.each<[string, object, RegExp]>([
    ["a hash that is a path", { oid: "../../../x", lfs: undefined }, /without a size and a hash/],
    ["no size", { size: "12", lfs: undefined }, /without a size and a hash/],
    ["no path", { path: 5 }, /without a size and a hash/],
  ])("are refused where a list has %s", async (_, change, message) => {
    hub.listed = (entry) => ({ ...entry, ...change });
    await expect(pullModel(options)).rejects.toMatchObject(saying("HUB_FAILED", message));
    expect(await readdir(cache)).toEqual([]);
  });

  it.each([5, [5]])("are refused where a list is %j", async (list) => {
    hub.hubAnswer = ({ path }, response) => {
      if (!path.includes("/tree/")) return false;
      sendJson(response, list);
      return true;
    };
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("HUB_FAILED", /does not answer as a hub does/),
    );
  });

  it("lead to no other files than those of a model", async () => {
    hub.commits.set(firstCommit, { ...files, "../../../evil.json": Buffer.from("{}") });
    const pulled = await pullModel(options);
    expect(pulled.files.some((path) => path.includes(".."))).toBe(false);
    expect((await readdir(cache)).toSorted()).toEqual(["models--owner--tiny"]);
  });

  it("do not lead out of the folder by what a graph names", async () => {
    const external = await filesIn(await buildHubModel({ externalData: true }));
    const text = external[hubGraphPath]?.toString("latin1") ?? "";
    // As long as the other name.
    const same = text.replaceAll("model.onnx_data", "../../../../evl");
    hub.commits.set(firstCommit, { ...external, [hubGraphPath]: Buffer.from(same, "latin1") });
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("MODEL_UNSUPPORTED", /names the file "\.\.\/\.\.\/\.\.\/\.\.\/evl"/),
    );
    expectNoModel(cache);
    const missing = { ...external };
    delete missing["onnx/model.onnx_data"];
    hub.commits.set(firstCommit, missing);
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("MODEL_NOT_FOUND", /has no onnx\/model\.onnx_data/),
    );
    expectNoModel(cache);
  });
});

describe("names", () => {
  it.each([
    "",
    "../x",
    "owner/..",
    "a/b/c",
    "/x",
    "owner/",
    "a--b/c",
    "a\\b",
    "C:/x",
    "owner/.git",
  ])("that are none are refused: %j", async (name) => {
    await expect(pullModel({ ...options, name })).rejects.toMatchObject(
      saying("INVALID_OPTION", /name/),
    );
    const open = createInlineGenerator({ model: `hub:${name}` });
    await expect(open).rejects.toMatchObject(
      saying("INVALID_OPTION", /is no model's name on a hub: write owner\/name/),
    );
  });

  it.each(["", "..", "../x", "a/../b", "/a", "a//b", "a\\b", ".git", "a b"])(
    "of revisions that are none are refused: %j",
    async (revision) => {
      await expect(pullModel({ ...options, revision })).rejects.toMatchObject(
        saying("INVALID_OPTION", /revision/),
      );
      const open = createInlineGenerator({ model: `hub:${hubModel}@${revision}` });
      await expect(open).rejects.toMatchObject(saying("INVALID_OPTION", /is no revision/));
      expect(hub.requests).toEqual([]);
    },
  );

  it.each(["ftp://x", "huggingface.co", "file:///etc"])(
    "of hubs that are none are refused: %s",
    async (endpoint) => {
      await expect(pullModel({ ...options, endpoint })).rejects.toMatchObject(
        saying("INVALID_OPTION", /endpoint/),
      );
    },
  );
});

describe("a full disk", () => {
  it("is noticed before the download, where the hub tells the sizes", async () => {
    const lfs = { oid: "a".repeat(64), size: 2 ** 52, pointerSize: 130 };
    hub.listed = (entry) => (entry["path"] === hubGraphPath ? { ...entry, lfs } : entry);
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("CACHE_FAILED", /has room for \d+ MB, and \d+ MB are to come/),
    );
    expect(hub.storeRequests).toEqual([]);
    expectNoModel(cache);
  });

  it.skipIf(!existsSync("/dev/full"))("is said when it happens", async () => {
    await mkdir(join(repositoryIn(cache), "blobs"), { recursive: true });
    await symlink("/dev/full", `${blobOf(graph)}.incomplete`);
    await expect(pullModel(options)).rejects.toMatchObject(
      saying("CACHE_FAILED", /The disk is full: make room, and pull again/),
    );
    expectNoModel(cache);
  });

  it("or a cache that is a file is named", async () => {
    const file = join(cache, "file");
    await writeFile(file, "");
    await expect(pullModel({ ...options, cache: file })).rejects.toMatchObject(
      saying("CACHE_FAILED", /cannot be written/),
    );
  });
});
