import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readModelSettings, type SaidSettings } from "../src/engine/model-settings.js";
import { temporaryFolder } from "./temporary-folder.js";

async function settingsOf(
  config: object,
  generation: object = {},
  mark = "",
): Promise<SaidSettings> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "config.json"), mark + JSON.stringify(config));
  await writeFile(join(folder, "generation_config.json"), mark + JSON.stringify(generation));
  return await readModelSettings(folder);
}

async function recommendedSampling(generation: object): Promise<object> {
  const config = { vocab_size: 10, max_position_embeddings: 20 };
  return (await settingsOf(config, generation)).recommendedSampling;
}

describe("recommended sampling", () => {
  it("is what generation_config.json says that has an effect", async () => {
    expect(
      await recommendedSampling({
        do_sample: true,
        temperature: 0.7,
        top_k: 20,
        top_p: 0.8,
        min_p: 0.05,
        typical_p: 0.9,
        repetition_penalty: 1.05,
        no_repeat_ngram_size: 3,
      }),
    ).toEqual({
      temperature: 0.7,
      topK: 20,
      topP: 0.8,
      minP: 0.05,
      typicalP: 0.9,
      repetitionPenalty: 1.05,
      noRepeatNgramSize: 3,
    });
    const neutral = { top_k: 0, top_p: 1, min_p: 0, typical_p: 1, repetition_penalty: 1 };
    expect(await recommendedSampling({ do_sample: true, ...neutral })).toEqual({ temperature: 1 });
  });

  it("keeps penalties where the makers do not sample, and nothing that needs sampling", async () => {
    expect(await recommendedSampling({ top_k: 20, repetition_penalty: 1.1 })).toEqual({
      temperature: 0,
      repetitionPenalty: 1.1,
    });
  });

  it("passes over what is no use", async () => {
    const strange = { temperature: "hot", top_k: 1.5, top_p: -1, repetition_penalty: null };
    expect(await recommendedSampling({ do_sample: true, ...strange })).toEqual({ temperature: 1 });
  });
});

describe("sizes and ends", () => {
  it.each<[string, object, number]>([
    ["Llama", { max_position_embeddings: 4096 }, 4096],
    ["GPT-2", { n_positions: 1024, n_ctx: 1024 }, 1024],
    ["older GPTs", { n_ctx: 512 }, 512],
    ["MPT", { max_seq_len: 2048, model_type: "mpt" }, 2048],
    ["ChatGLM", { seq_length: 8192 }, 8192],
    ["Qwen, which has two", { seq_length: 2048, max_position_embeddings: 8192 }, 8192],
    ["other makers", { max_sequence_length: 300 }, 300],
    ["Bloom, which has none", { model_type: "bloom" }, 2048],
    ["Bloom, which has one", { model_type: "bloom", seq_length: 4096 }, 4096],
    ["null, then another name", { max_position_embeddings: null, n_positions: 64 }, 64],
    ["a part for text", { text_config: { max_position_embeddings: 77 } }, 77],
    ["a part for language", { llm_config: { n_positions: 78 } }, 78],
    ["a part of a part", { thinker_config: { text_config: { n_ctx: 79 } } }, 79],
  ])("context of %s", async (_, config, contextLength) => {
    expect((await settingsOf(config)).contextLength).toBe(contextLength);
  });

  it("ids and ends of a part for text", async () => {
    const config = {
      text_config: { vocab_size: 99, max_position_embeddings: 5, eos_token_id: [1, 106] },
    };
    const settings = await settingsOf(config);
    expect(settings.vocabularySize).toBe(99);
    expect([...settings.eosTokenIds]).toEqual([1, 106]);
    expect([...(await settingsOf({ ...config, eos_token_id: 4 })).eosTokenIds]).toEqual([4]);
    expect([...(await settingsOf(config, { eos_token_id: 3 })).eosTokenIds]).toEqual([3]);
  });

  it("are read behind a byte-order mark", async () => {
    const settings = await settingsOf({ n_ctx: 8 }, { eos_token_id: 2 }, "\uFEFF");
    expect(settings.contextLength).toBe(8);
    expect([...settings.eosTokenIds]).toEqual([2]);
  });

  it("are refused where there is no length, with the names that it may have", async () => {
    await expect(settingsOf({ model_type: "constructor" })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(
        /max_position_embeddings, n_positions, .*seq_length/,
      ) as string,
    });
  });

  it.each([0, -1, 1.5, "8", 1e9, 1e12, 2 ** 24 + 1, [8], {}, false])(
    "are refused where they are no sizes: %j",
    async (size) => {
      for (const name of ["max_position_embeddings", "n_positions", "vocab_size"]) {
        const opening = settingsOf({ max_position_embeddings: 8, [name]: size, text_config: {} });
        if (name === "n_positions") {
          // Not looked at behind a better name.
          await opening;
          continue;
        }
        await expect(opening).rejects.toMatchObject({
          code: "MODEL_CORRUPT",
          message: expect.stringMatching(
            new RegExp(`config\\.json has no usable "${name}" \\(an integer from 1 to 16777216`),
          ) as string,
        });
      }
    },
  );

  it.each([-1, 0.5, "</s>", [2, -3], [null], {}, true])(
    "an end of sequence that is no id is refused: %j",
    async (eos) => {
      const sizes = { max_position_embeddings: 8 };
      for (const open of [
        () => settingsOf({ ...sizes, eos_token_id: eos }),
        () => settingsOf(sizes, { eos_token_id: eos }),
      ]) {
        await expect(open()).rejects.toMatchObject({
          code: "MODEL_CORRUPT",
          message: expect.stringMatching(/config\.json has no usable "eos_token_id"/) as string,
        });
      }
    },
  );
});
