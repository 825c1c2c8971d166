import { basename, dirname } from "node:path";
import {
  AutoModelForCausalLM,
  AutoTokenizer,
  Tensor,
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

/** `length` ids behind a prompt that transformers.js makes of a folder, as its `config.json` says it is opened. */
export async function greedyInTransformers(
  folder: string,
  prompt: readonly number[],
  length: number,
): Promise<number[]> {
  env.allowRemoteModels = false;
  env.localModelPath = dirname(folder);
  const model = await AutoModelForCausalLM.from_pretrained(basename(folder), {
    device: "cpu",
    session_options: { intraOpNumThreads: 1, logSeverityLevel: 3 },
  });
  try {
    const size = [1, prompt.length];
    const sequences = await model.generate({
      inputs: new Tensor("int64", BigInt64Array.from(prompt, BigInt), size),
      attention_mask: new Tensor("int64", new BigInt64Array(prompt.length).fill(1n), size),
      do_sample: false,
      max_new_tokens: length,
    });
    const all = Array.from((sequences as Tensor).data as BigInt64Array, Number);
    return all.slice(prompt.length);
  } finally {
    await model.dispose();
  }
}
