import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readdir, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { inTemporaryFolder } from "./example-record.js";

const bin = fileURLToPath(new URL("../bin/streamgauge.js", import.meta.url));
const pequod = fileURLToPath(new URL("../../runtime/checkpoints/pequod", import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param during runs beside the process and may kill it */
async function streamgauge(
  flags: readonly string[],
  during?: (kill: (signal: NodeJS.Signals) => void) => Promise<void>,
): Promise<Outcome> {
  const child = spawn(process.execPath, [bin, ...flags]);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (data: Buffer) => (stdout += data.toString()));
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const closed = once(child, "close");
  await during?.((signal) => child.kill(signal));
  const [code] = (await closed) as [number | null];
  return { code, stdout, stderr };
}

describe("streamgauge build-model", () => {
  it("explains its flags, with examples", async () => {
    const { code, stdout } = await streamgauge(["build-model", "--help"]);
    expect(code).toBe(0);
    for (const word of ["<checkpoint>", "<out>", "--dtype", "q4f16", "--external-data"]) {
      expect(stdout).toContain(word);
    }
    expect(stdout).toContain("$ streamgauge build-model ./Qwen2.5-0.5B ./models/qwen --dtype q4");
  });

  it("builds files for llama.cpp instead, and refuses a dtype that these do not have", async () => {
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, "model");
      const built = await streamgauge(["build-model", pequod, out, "--gguf", "--dtype", "q8,q4"]);
      expect(built).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Built .*q8, q4/) });
      const names = (await readdir(out)).filter((name) => name !== "README.md");
      expect(names.toSorted()).toEqual(["model-q4_0.gguf", "model-q8_0.gguf"]);
      const refused = await streamgauge(["build-model", pequod, out, "--gguf", "--dtype", "fp16"]);
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/INVALID_OPTION: dtypes: fp16/),
      });
    });
  });

  it("builds what generate opens, each dtype by its name", async () => {
    await inTemporaryFolder(async (folder) => {
      const out = join(folder, "model");
      const built = await streamgauge(["build-model", pequod, out, "--dtype", "q8,fp16"]);
      expect(built).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Built .*q8, fp16.*MB/),
      });
      expect((await readdir(join(out, "onnx"))).toSorted()).toEqual([
        "model_fp16.onnx",
        "model_quantized.onnx",
      ]);
      const generate = ["generate", "Call me Ishmael.", "--model", out, "--greedy", "--no-stats"];
      const [half, first] = [
        await streamgauge([...generate, "--max-tokens", "12", "--dtype", "fp16"]),
        await streamgauge([...generate, "--max-tokens", "12"]),
      ];
      expect(half).toMatchObject({ code: 0, stderr: "" });
      expect(half.stdout).toMatch(/^Call me Ishmael\..{10}/s);
      // The model is sure enough of these that neither format changes them.
      expect(first).toEqual(half);
      expect(await streamgauge([...generate, "--dtype", "q4"])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/MODEL_NOT_FOUND: .*model_q4\.onnx.*fp16, q8: choose one/),
      });
    });
  });

  it.each([
    [["--dtype", "q5"], /"q5" is none of fp32, fp16/],
    [["--fast"], /unknown option '--fast'/],
    [["extra"], /too many arguments/],
  ])("refuses %j", async (flags, message) => {
    await inTemporaryFolder(async (folder) => {
      const outcome = await streamgauge(["build-model", pequod, join(folder, "m"), ...flags]);
      expect(outcome).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
      expect(await readdir(folder)).toEqual([]);
    });
  });

  it("names what is wrong with a checkpoint", async () => {
    await inTemporaryFolder(async (folder) => {
      const outcome = await streamgauge(["build-model", folder, join(folder, "model")]);
      expect(outcome).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^MODEL_NOT_FOUND: .*config\.json/),
      });
      expect(await readdir(folder)).toEqual([]);
    });
  });

  // Elsewhere a signal from another process ends this one at once.
  it.skipIf(process.platform === "win32").each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("leaves nothing behind after %s", async (signal, code) => {
    await inTemporaryFolder(async (folder) => {
      const checkpoint = join(folder, "checkpoint");
      const parent = join(folder, "models");
      await mkdir(checkpoint);
      await mkdir(parent);
      await writeEndlessCheckpoint(checkpoint);
      const flags = ["build-model", checkpoint, join(parent, "model"), "--dtype", "q4"];
      const stopWatching = new AbortController();
      const changes = watch(parent, { signal: stopWatching.signal });
      const outcome = await streamgauge(flags, async (kill) => {
        // The workshop beside the folder to come has appeared.
        for await (const _ of changes) break;
        kill(signal);
      });
      stopWatching.abort();
      expect(outcome).toMatchObject({ code, stderr: expect.stringContaining("nothing was left") });
      expect(await readdir(parent)).toEqual([]);
    });
  });
});

/** One layer, and an embedding of half a billion zeros, which the file system need not store. */
async function writeEndlessCheckpoint(folder: string): Promise<void> {
  const [vocabulary, width] = [2 ** 23, 64];
  await writeFile(
    join(folder, "config.json"),
    JSON.stringify({
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      vocab_size: vocabulary,
      hidden_size: width,
      intermediate_size: width,
      num_hidden_layers: 1,
      num_attention_heads: 1,
      num_key_value_heads: 1,
      max_position_embeddings: 16,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: true,
    }),
  );
  const at = "model.layers.0";
  const shapes: Record<string, number[]> = {
    "model.embed_tokens.weight": [vocabulary, width],
    "model.norm.weight": [width],
    [`${at}.input_layernorm.weight`]: [width],
    [`${at}.post_attention_layernorm.weight`]: [width],
  };
  for (const part of ["self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o"]) {
    shapes[`${at}.${part}_proj.weight`] = [width, width];
  }
  for (const part of ["mlp.gate", "mlp.up", "mlp.down"]) {
    shapes[`${at}.${part}_proj.weight`] = [width, width];
  }
  const header: Record<string, unknown> = {};
  let end = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const start = end;
    end += shape.reduce((product, size) => product * size, 2);
    header[name] = { dtype: "F16", shape, data_offsets: [start, end] };
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const file = await open(join(folder, "model.safetensors"), "wx");
  await file.write(Buffer.concat([length, json]));
  await file.truncate(8 + json.length + end);
  await file.close();
}
