// Model folders that nobody should publish: each is opened and generates, or is refused.
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc, { type Arbitrary } from "fast-check";
import { expect, it } from "vitest";
import type { Prompt } from "@streamgauge/core";
import { checkModel, createInlineGenerator, embeddedModel } from "@streamgauge/runtime";
import { buildRandomModel, type LlamaShape } from "@streamgauge/runtime/onnx";
import { outcomeOf } from "../../core/test/fuzz-outcome.js";
import {
  changedDocument,
  fuzzParameters,
  hostileJson,
  looseJson,
} from "../../core/test/hostile-input.js";
import { temporaryFolder } from "./temporary-folder.js";
import { tinyShape } from "./tiny-shape.js";

/** With the embedded tokenizer's vocabulary, and else as small as it can be. */
const tiny: LlamaShape = { ...tinyShape, vocabularySize: 2048, contextLength: 64 };

const graphFile = join("onnx", "model.onnx");

/** As onnxruntime-genai writes it, for the names that the graph has. */
const genaiConfig = {
  model: {
    context_length: 64,
    decoder: {
      filename: graphFile,
      head_size: 16,
      inputs: {
        input_ids: "input_ids",
        attention_mask: "attention_mask",
        past_key_names: "past_key_values.%d.key",
        past_value_names: "past_key_values.%d.value",
      },
      outputs: {
        logits: "logits",
        present_key_names: "present.%d.key",
        present_value_names: "present.%d.value",
      },
      num_hidden_layers: 1,
      num_key_value_heads: 1,
    },
    eos_token_id: 0,
    vocab_size: 2048,
  },
  search: { do_sample: true, temperature: 0.7, top_k: 20, top_p: 0.8, repetition_penalty: 1.1 },
};

/** Files of the folder that are other than they were; of one that is undefined there is none. */
type Damage = Readonly<Record<string, string | Uint8Array | undefined>>;

interface Sound {
  readonly documents: ReadonlyMap<string, unknown>;
  readonly graph: Uint8Array;
}

async function soundFolder(): Promise<{ readonly folder: string; readonly sound: Sound }> {
  const folder = join(await temporaryFolder(), "model");
  await buildRandomModel({ shape: tiny, seed: 1, out: folder });
  for (const file of ["tokenizer.json", "tokenizer_config.json", "generation_config.json"]) {
    await copyFile(join(embeddedModel, file), join(folder, file));
  }
  const documents = new Map<string, unknown>();
  for (const file of await readdir(folder)) {
    if (!file.endsWith(".json")) continue;
    documents.set(file, JSON.parse(await readFile(join(folder, file), "utf8")));
  }
  return { folder, sound: { documents, graph: await readFile(join(folder, graphFile)) } };
}

function damage({ documents, graph }: Sound): Arbitrary<Damage> {
  const changed = (document: unknown): Arbitrary<string> => {
    const other = changedDocument(document);
    return fc.oneof(
      { weight: 5, arbitrary: other.map(looseJson) },
      { weight: 1, arbitrary: hostileJson(other) },
    );
  };
  const oneFile = [...documents].map(([file, document]) =>
    changed(document).map((text) => ({ [file]: text })),
  );
  const genai = changed(genaiConfig).map((text) => ({
    "config.json": undefined,
    "genai_config.json": text,
  }));
  const bytes = fc
    .record({
      cut: fc.option(fc.nat(), { freq: 2 }),
      // Most of a graph is weights; its structure is at both ends.
      changes: fc.array(fc.tuple(fc.integer({ min: -3000, max: 3000 }), fc.nat(255)), {
        maxLength: 6,
      }),
    })
    .map(({ cut, changes }) => {
      const given = graph.slice(0, cut === null ? graph.length : cut % graph.length);
      for (const [place, byte] of changes) {
        if (given.length > 0) given[(place + given.length) % given.length] = byte;
      }
      return { [graphFile]: given };
    });
  return fc.oneof(...oneFile, genai, bytes);
}

const codes = ["MODEL_NOT_FOUND", "MODEL_CORRUPT", "MODEL_UNSUPPORTED"];
/** What a folder that opens may say of a generation. */
const generationCodes = ["INVALID_PROMPT", "INVALID_CONFIG", "ENGINE_FAILED"];

async function generateFrom(model: string): Promise<void> {
  await using generator = await createInlineGenerator({ model });
  const config = { maxTokens: 3, ignoreEos: true };
  const prompts: readonly Prompt[] = [
    [1, 2, 3],
    "Call me",
    { messages: [{ role: "user", content: "Hi" }] },
  ];
  for (const prompt of prompts) {
    const outcome = await outcomeOf(async () => {
      const { ids, text } = await generator.generate(prompt, config);
      expect(ids.length).toBeLessThanOrEqual(3);
      expect(text).toBeTypeOf("string");
    }, generationCodes);
    expect(outcome).toBeTypeOf("string");
  }
}

/** Its refusal is an answer. */
async function check(model: string): Promise<void> {
  const { verdict, refusal } = await checkModel({ model });
  expect(["right", "wrong", "refused"]).toContain(verdict);
  if (verdict === "refused") expect(codes).toContain(refusal?.code);
}

it("opens a model folder, or refuses it, and leaves nothing in it", async () => {
  const { folder, sound } = await soundFolder();
  const outcomes = new Set<string>();
  const put = async (file: string, content: string | Uint8Array | undefined): Promise<void> => {
    await mkdir(join(folder, "onnx"), { recursive: true });
    await (content === undefined
      ? rm(join(folder, file), { force: true })
      : writeFile(join(folder, file), content));
  };
  const originalOf = (file: string): string | Uint8Array | undefined => {
    if (file === graphFile) return sound.graph;
    return sound.documents.has(file) ? JSON.stringify(sound.documents.get(file)) : undefined;
  };
  const filesBefore = (await readdir(folder, { recursive: true })).toSorted();
  const run = async ([given, draw]: readonly [Damage, number]): Promise<void> => {
    for (const [file, content] of Object.entries(given)) await put(file, content);
    try {
      outcomes.add(await outcomeOf(() => generateFrom(folder), codes));
      // Takes 300 runs.
      if (draw === 0) expect(await outcomeOf(() => check(folder), [])).toBe("done");
    } finally {
      for (const file of Object.keys(given)) await put(file, originalOf(file));
    }
    expect((await readdir(folder, { recursive: true })).toSorted()).toEqual(filesBefore);
  };
  await run([{}, 0]);
  expect([...outcomes]).toEqual(["done"]);
  await fc.assert(fc.asyncProperty(fc.tuple(damage(sound), fc.nat(19)), run), fuzzParameters(1906));
  expect([...outcomes].toSorted()).toEqual([...codes, "done"].toSorted());
}, 1_800_000);
