import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Prompt } from "@streamgauge/core";
import type { GeneratorPlan } from "./generator-plan.js";
import { isModelSize } from "./random-model.js";

/** Short enough to leave room for 1,000 tokens in a context of 1,024. */
const textPrompt = "It is not down in any map;";

/** In the vocabulary of every model, and about as long as the text in tokens. */
const idPrompt: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * A prompt that a plan's generator can take: token ids where there is no
 * tokenizer (the paced engine, random weights, a folder without one), text
 * everywhere else.
 */
export function promptFor({ engine, model, modelFolder }: GeneratorPlan): Prompt {
  if (engine === "paced" || isModelSize(model)) return idPrompt;
  const lacksTokenizer =
    modelFolder !== undefined && !existsSync(join(modelFolder, "tokenizer.json"));
  return lacksTokenizer ? idPrompt : textPrompt;
}

/** What a plan calls the model that the runtime brings along; 3.7M parameters. */
export const embeddedModelName = "pequod";
