import { basename, dirname } from "node:path";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  env,
  type PreTrainedModel,
  type PreTrainedTokenizer,
} from "@huggingface/transformers";
import { embeddedModel } from "@streamgauge/runtime";

/** The embedded model in transformers.js. Whoever asks disposes of the model. */
export async function openTransformersReference(): Promise<{
  readonly model: PreTrainedModel;
  readonly tokenizer: PreTrainedTokenizer;
}> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(embeddedModel);
  const id = basename(embeddedModel);
  const model = await AutoModelForCausalLM.from_pretrained(id, { dtype: "fp32", device: "cpu" });
  return { model, tokenizer: await AutoTokenizer.from_pretrained(id) };
}
