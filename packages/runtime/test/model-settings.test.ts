import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readModelSettings } from "../src/engine/model-settings.js";
import { temporaryFolder } from "./temporary-folder.js";

async function recommendedSampling(generation: object): Promise<object> {
  const folder = await temporaryFolder();
  const config = { vocab_size: 10, max_position_embeddings: 20 };
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "generation_config.json"), JSON.stringify(generation));
  return (await readModelSettings(folder)).recommendedSampling;
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
