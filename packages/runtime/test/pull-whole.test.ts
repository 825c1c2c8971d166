import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInlineGenerator, pullModel, type PullOptions } from "@streamgauge/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { linkOrCopy } from "../src/hub/place-files.js";
import { pullWith } from "../src/hub/pull.js";
import { buildHubModel, expectNoModel, opens, repositoryIn, serveHubModel } from "./hub-model.js";
import { filesIn, firstCommit, hubModel, type HubServer } from "./hub-server.js";
import { temporaryFolder } from "./temporary-folder.js";

// What a pull leaves that was ended from outside, or by a disk, at any place.

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const isPosix = process.platform !== "win32";

let cache: string;
let graph: Buffer;
let hub: HubServer;
let options: PullOptions;

beforeEach(async () => {
  cache = await temporaryFolder();
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_TOKEN", undefined);
  ({ hub, graph, options } = await serveHubModel());
});
afterEach(() => vi.unstubAllEnvs());

const script = `
  import { pullCommand } from "@streamgauge/runtime/cli";
  try {
    await pullCommand().parseAsync(process.argv.slice(1), { from: "user" });
  } catch (error) {
    process.stderr.write(error.code + ": " + error.message);
    process.exitCode = 1;
  }`;

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** The command in a process of its own; a shell may set limits before. */
function startPull(limits?: string): {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
} {
  const node = ["--input-type=module", "--eval", script, hubModel, "--endpoint", hub.endpoint];
  const [file, args]: [string, string[]] =
    limits === undefined
      ? [process.execPath, node]
      : ["sh", ["-c", `${limits} && exec "$0" "$@"`, process.execPath, ...node]];
  const child = spawn(file, args, { cwd: packageFolder, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = once(child, "close").then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stderr,
  }));
  return { child, ended };
}

describe.skipIf(!isPosix)("a process that pulls", () => {
  it.each<[NodeJS.Signals, number | null, RegExp]>([
    ["SIGINT", 130, /Interrupted\. The same command goes on from here\.\n$/],
    ["SIGTERM", 143, /Interrupted\. The same command goes on from here\.\n$/],
    ["SIGKILL", null, /^(?!.*Interrupted)/s],
  ])(
    "leaves nothing that looks whole at %s, and goes on from there",
    async (signal, code, said) => {
      const half = Math.floor(graph.length / 2);
      let pulling: ChildProcess | undefined;
      hub.storeAnswer = (_, response) => {
        response.writeHead(200, { "content-length": graph.length });
        // The rest never comes.
        response.write(graph.subarray(0, half), () => pulling?.kill(signal));
        return true;
      };
      const first = startPull();
      pulling = first.child;
      expect(await first.ended).toMatchObject({
        code,
        signal: code === null ? signal : null,
        stderr: expect.stringMatching(said) as string,
      });
      expectNoModel(cache);
      expect(await opens()).toBe(false);
      hub.storeAnswer = () => false;
      expect(await startPull().ended).toMatchObject({ code: 0 });
      expect(await opens()).toBe(true);
    },
  );

  it("leaves nothing that looks whole where the disk takes no more, and goes on from there", async () => {
    // In blocks of 512 or 1024 bytes: less than the graph, and more than the other files.
    const { code, stderr } = await startPull("ulimit -f 64").ended;
    expect(stderr).toMatch(
      /CACHE_FAILED: .*\.incomplete cannot be written \(EFBIG.*choose another/s,
    );
    expect(code).toBe(1);
    expectNoModel(cache);
    expect(await opens()).toBe(false);
    const keptBytes = [32_768, 65_536];
    await pullModel(options);
    expect(keptBytes.map((bytes) => `bytes=${bytes}-`)).toContain(hub.storeRequests.at(-1)?.range);
    expect(await opens()).toBe(true);
  });
});

describe("a disk that is full while files are put in their places", () => {
  it.each([
    [0, "the graph"],
    [1, "the configuration"],
  ])("leaves nothing that opens: file %i, %s", async (last) => {
    let placed = 0;
    const pulling = pullWith(options, async (blob, target) => {
      if (placed++ === last) {
        throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      }
      await linkOrCopy(blob, target);
    });
    await expect(pulling).rejects.toMatchObject({
      code: "CACHE_FAILED",
      message: expect.stringMatching(/The disk is full: make room, and pull again/) as string,
    });
    expect(await opens()).toBe(false);
    expect(await opens(`${hubModel}@${firstCommit}`)).toBe(false);
    expect((await pullModel(options)).downloadedBytes).toBe(0);
    expect(await opens()).toBe(true);
  });

  it("leaves the revision that was there", async () => {
    await pullModel(options);
    const secondCommit = "2".repeat(40);
    const other = await filesIn(await buildHubModel({ seed: 8 }));
    hub.commits.set(secondCommit, other);
    hub.revisions.set("main", secondCommit);
    const pulling = pullWith(options, () =>
      Promise.reject(Object.assign(new Error("ENOSPC"), { code: "ENOSPC" })),
    );
    await expect(pulling).rejects.toMatchObject({ code: "CACHE_FAILED" });
    await using generator = await createInlineGenerator({ model: `hub:${hubModel}` });
    expect(generator.describe().model).toBe(hubModel);
    const folder = join(repositoryIn(cache), "snapshots", firstCommit);
    expect((await stat(join(folder, "onnx", "model.onnx"))).size).toBe(graph.length);
    expect(await opens(`${hubModel}@${secondCommit}`)).toBe(false);
  });
});
