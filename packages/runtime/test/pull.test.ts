import { createHash } from "node:crypto";
import {
  copyFile,
  lstat,
  mkdir,
  readFile,
  readdir,
  readlink,
  rm,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { getHFHubCachePath, snapshotDownload } from "@huggingface/hub";
import {
  createInlineGenerator,
  createRuntime,
  embeddedModel,
  pullModel,
  type PullOptions,
  type PullProgress,
  type PulledModel,
} from "@streamgauge/runtime";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { hubCacheFolder } from "../src/hub/hub-cache.js";
import { linkOrCopy } from "../src/hub/place-files.js";
import { pullWith } from "../src/hub/pull.js";
import { buildHubModel, hubPrompt as prompt, repositoryIn } from "./hub-model.js";
import { filesIn, firstCommit, hubModel, serveHub, type Files } from "./hub-server.js";
import { temporaryFolder } from "./temporary-folder.js";
import { greedyInTransformers } from "./transformers-reference.js";

const secondCommit = "2".repeat(40);
let cache: string;

beforeEach(async () => {
  cache = await temporaryFolder();
  vi.stubEnv("HF_HUB_CACHE", cache);
  vi.stubEnv("HF_TOKEN", undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

async function randomFiles(
  ...options: Parameters<typeof buildHubModel>
): Promise<Record<string, Buffer>> {
  return await filesIn(await buildHubModel(...options));
}

async function idsOf(model: string, dtype?: "q4"): Promise<readonly number[]> {
  await using generator = await createInlineGenerator({ model, ...(dtype && { dtype }) });
  return (await generator.generate(prompt, { maxTokens: 12, ignoreEos: true })).ids;
}

async function expectedIds(files: Files, dtype?: "q4"): Promise<readonly number[]> {
  const folder = await temporaryFolder();
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
  }
  return await idsOf(folder, dtype);
}

const repository = (): string => repositoryIn(cache);

describe("a pulled model", () => {
  it("runs by its name, and is laid out as Hugging Face's tools do it", async () => {
    const extra = {
      "model.safetensors": Buffer.alloc(9000),
      "onnx/model_q4.onnx": Buffer.alloc(9),
    };
    const files = await filesIn(embeddedModel);
    const hub = await serveHub({ ...files, ...extra });
    const seen: PullProgress[] = [];
    const pulled = await pullModel({
      name: hubModel,
      endpoint: hub.endpoint,
      onProgress: (progress) => seen.push(progress),
    });

    const folder = join(repository(), "snapshots", firstCommit);
    const names = Object.keys(files)
      .filter((name) => name !== "README.md")
      .toSorted();
    const totalBytes = names.reduce((sum, name) => sum + (files[name]?.length ?? 0), 0);
    expect(pulled).toMatchObject({ folder, commit: firstCommit, dtype: "fp32", totalBytes });
    expect(pulled.downloadedBytes).toBe(totalBytes);
    expect(pulled.files.toSorted()).toEqual(names);
    expect(Object.keys(await filesIn(folder)).toSorted()).toEqual(names);
    expect(await readFile(join(repository(), "refs", "main"), "utf8")).toBe(firstCommit);
    expect((await readdir(join(repository(), "blobs"))).toSorted()).toEqual(
      names.map((name) => hashOf(files[name] ?? Buffer.alloc(0))).toSorted(),
    );
    const graph = files["onnx/model.onnx"] ?? Buffer.alloc(0);
    if (process.platform !== "win32") {
      expect(await readlink(join(folder, "onnx", "model.onnx"))).toBe(
        `../../../blobs/${hashOf(graph)}`,
      );
    }
    expect(seen.at(-1)).toMatchObject({ doneBytes: totalBytes, totalBytes });
    const done = seen.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual(done.toSorted((a, b) => a - b));

    const said = "It is not down in any map;";
    await using own = await createInlineGenerator();
    const { text } = await own.generate(said, { maxTokens: 20 });
    await using runtime = await createRuntime({ model: `hub:${hubModel}` });
    expect(runtime.describe().model).toBe(hubModel);
    expect((await runtime.generate(said, { maxTokens: 20 })).text).toBe(text);
  });

  it("opens in transformers.js", async () => {
    const hub = await serveHub(await randomFiles({ externalData: true, dtypes: ["q4"] }));
    const { folder, dtype } = await pullModel({ name: hubModel, endpoint: hub.endpoint });
    expect(dtype).toBe("q4");
    expect(await greedyInTransformers(folder, prompt, 12)).toEqual(await idsOf(`hub:${hubModel}`));
  });

  it("may have been pulled by Hugging Face's own tools", async () => {
    vi.spyOn(console, "debug").mockReturnValue(undefined);
    const files = await randomFiles({ externalData: true });
    const hub = await serveHub(files);
    await snapshotDownload({ repo: hubModel, hubUrl: hub.endpoint, cacheDir: cache });
    expect(await idsOf(`hub:${hubModel}`)).toEqual(await expectedIds(files));
    const { downloadedBytes } = await pullModel({ name: hubModel, endpoint: hub.endpoint });
    expect(downloadedBytes).toBe(0);
  });

  it("lies where Hugging Face's own tools look for it", () => {
    for (const environment of [
      {},
      { HF_HOME: "/a" },
      { XDG_CACHE_HOME: "/b" },
      { HUGGINGFACE_HUB_CACHE: "/c", HF_HOME: "/a" },
      { HF_HUB_CACHE: "/d", HUGGINGFACE_HUB_CACHE: "/c" },
    ]) {
      for (const name of ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"]) {
        vi.stubEnv(name, (environment as Record<string, string>)[name]);
      }
      expect(hubCacheFolder()).toBe(getHFHubCachePath());
    }
  });

  it("is never downloaded by being opened", async () => {
    const hub = await serveHub(await randomFiles());
    vi.stubEnv("HF_ENDPOINT", hub.endpoint);
    await expect(createRuntime({ model: `hub:${hubModel}@v1` })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining(`\`streamgauge pull ${hubModel} --revision v1\``) as string,
    });
    expect(hub.requests).toEqual([]);
    expect(await readdir(cache)).toEqual([]);
  });
});

describe("pulling", () => {
  it("again downloads nothing, and mends what was damaged since", async () => {
    const files = await randomFiles();
    const hub = await serveHub(files);
    const options: PullOptions = { name: hubModel, endpoint: hub.endpoint };
    const { folder } = await pullModel(options);
    expect((await pullModel(options)).downloadedBytes).toBe(0);
    const graph = files["onnx/model.onnx"] ?? Buffer.alloc(0);
    await writeFile(join(repository(), "blobs", hashOf(graph)), Buffer.alloc(graph.length));
    expect((await pullModel(options)).downloadedBytes).toBe(graph.length);
    expect(graph.equals(await readFile(join(folder, "onnx", "model.onnx")))).toBe(true);
  });

  it("takes one graph of several, and adds another later", async () => {
    const files = await randomFiles({ dtypes: ["fp32", "q4"], externalData: true });
    const hub = await serveHub(files);
    const options: PullOptions = { name: hubModel, endpoint: hub.endpoint };
    const first = await pullModel({ ...options, dtype: "q4" });
    expect(first.files).toContain("onnx/model_q4.onnx_data");
    expect(first.files).not.toContain("onnx/model.onnx");
    expect(hub.requests.some(({ path }) => path.endsWith("onnx/model.onnx"))).toBe(false);
    await expect(createInlineGenerator({ model: `hub:${hubModel}` })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringMatching(
        /choose one by the option dtype, or run `streamgauge pull owner\/tiny --revision 1+ --dtype fp32`/,
      ) as string,
    });
    await pullModel(options);
    expect(await idsOf(`hub:${hubModel}`)).toEqual(await expectedIds(files));
    expect(await idsOf(`hub:${hubModel}`, "q4")).toEqual(await expectedIds(files, "q4"));
  });

  it("names the dtypes where there is none as was asked for", async () => {
    const hub = await serveHub(await randomFiles());
    const options: PullOptions = { name: hubModel, endpoint: hub.endpoint, dtype: "q4" };
    await expect(pullModel(options)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringMatching(/model_q4\.onnx.*It has the model as fp32: choose/s) as string,
    });
  });

  it("takes the graph that a genai_config.json names, with all files of its weights", async () => {
    const { "onnx/model.onnx": graph, "onnx/model.onnx_data": data } = await randomFiles({
      externalData: true,
    });
    const config = {
      model: {
        type: "llama",
        context_length: 64,
        vocab_size: 96,
        eos_token_id: 0,
        decoder: {
          filename: "model.onnx",
          num_hidden_layers: 2,
          num_key_value_heads: 2,
          head_size: 16,
        },
      },
    };
    const hub = await serveHub({
      "genai_config.json": Buffer.from(JSON.stringify(config)),
      "model.onnx": graph ?? Buffer.alloc(0),
      "model.onnx_data": data ?? Buffer.alloc(0),
    });
    const { files, dtype } = await pullModel({ name: hubModel, endpoint: hub.endpoint });
    expect(dtype).toBeUndefined();
    expect(files.toSorted()).toEqual(["genai_config.json", "model.onnx", "model.onnx_data"]);
    expect(await idsOf(`hub:${hubModel}`)).toEqual(
      await idsOf(join(cache, "models--owner--tiny", "snapshots", firstCommit)),
    );
  });

  it("takes a revision by its name or its commit, and keeps the others", async () => {
    const [old, recent] = [await randomFiles(), await randomFiles({ seed: 8 })];
    const hub = await serveHub(old);
    hub.commits.set(secondCommit, recent);
    hub.revisions.set("main", secondCommit).set("v1", firstCommit).set("refs/pr/1", firstCommit);
    const { endpoint } = hub;
    await pullModel({ name: hubModel, endpoint });
    await pullModel({ name: `${hubModel}@v1`, endpoint });
    await pullModel({ name: hubModel, revision: "refs/pr/1", endpoint });
    await pullModel({ name: hubModel, revision: firstCommit, endpoint });
    expect(await idsOf(`hub:${hubModel}`)).toEqual(await expectedIds(recent));
    for (const revision of ["v1", "refs/pr/1", firstCommit]) {
      expect(await idsOf(`hub:${hubModel}@${revision}`)).toEqual(await expectedIds(old));
    }
    expect(Object.keys(await filesIn(join(repository(), "refs"))).toSorted()).toEqual([
      "main",
      "refs/pr/1",
      "v1",
    ]);
  });

  it("follows the redirects of a model that was renamed", async () => {
    const files = await randomFiles();
    const hub = await serveHub(files);
    hub.hubAnswer = ({ path }, response) => {
      if (!path.includes("/before/")) return false;
      response.writeHead(307, { location: path.replace("/before/old", `/${hubModel}`) }).end();
      return true;
    };
    const { folder } = await pullModel({ name: "before/old", endpoint: hub.endpoint });
    expect(folder).toBe(join(cache, "models--before--old", "snapshots", firstCommit));
    expect(hub.requests.filter(({ path }) => path.includes("/before/old")).length).toBeGreaterThan(
      Object.keys(files).length,
    );
    expect(await idsOf("hub:before/old")).toEqual(await expectedIds(files));
  });

  it("ends at a hub whose redirects lead in a circle", async () => {
    const hub = await serveHub(await randomFiles());
    hub.hubAnswer = ({ path }, response) => {
      response.writeHead(307, { location: path }).end();
      return true;
    };
    await expect(pullModel({ name: hubModel, endpoint: hub.endpoint })).rejects.toMatchObject({
      code: "HUB_FAILED",
      message: expect.stringMatching(/redirect.*pull again/s) as string,
    });
    expect(await readdir(cache)).toEqual([]);
  });

  it("shows the token to the hub alone", async () => {
    const hub = await serveHub(await randomFiles());
    vi.stubEnv("MY_TOKEN", "hf_secret");
    await pullModel({ name: hubModel, endpoint: hub.endpoint, tokenEnv: "MY_TOKEN" });
    expect(new Set(hub.requests.map(({ authorization }) => authorization))).toEqual(
      new Set(["Bearer hf_secret"]),
    );
    expect(hub.storeRequests.length).toBeGreaterThan(0);
    expect(hub.storeRequests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it("copies where no links are allowed, and leaves what others copied", async () => {
    const files = await randomFiles();
    const hub = await serveHub(files);
    const options: PullOptions = { name: hubModel, endpoint: hub.endpoint };
    const { folder } = await pullWith(options, copyFile);
    expect((await lstat(join(folder, "config.json"))).isSymbolicLink()).toBe(false);
    expect(await idsOf(`hub:${hubModel}`)).toEqual(await expectedIds(files));
    // So do Hugging Face's tools: the file alone, without its blob.
    await rm(join(repository(), "blobs"), { recursive: true });
    const again: PulledModel = await pullWith(options, linkOrCopy);
    expect(again.downloadedBytes).toBe(0);
    expect(await idsOf(`hub:${hubModel}`)).toEqual(await expectedIds(files));
  });
});

function hashOf(bytes: Buffer): string {
  return bytes.length >= 4096
    ? createHash("sha256").update(bytes).digest("hex")
    : createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
