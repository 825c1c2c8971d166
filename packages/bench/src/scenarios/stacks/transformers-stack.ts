import { baselineName } from "./plain-stacks.js";
import type { Stack } from "./stack.js";

/**
 * `TextStreamer` of transformers.js, fed with ids. Its tokenizer is the library's own, over a
 * vocabulary of the known tokens' texts.
 */
export const transformersStack: Stack = {
  name: "transformers.js TextStreamer",
  against: baselineName,
  library: "@huggingface/transformers",
  socket: false,
  async open({ load, vocabulary }) {
    const { PreTrainedTokenizer, TextStreamer } = await load("@huggingface/transformers");
    const tokenizer = new PreTrainedTokenizer(...tokenizerFiles(vocabulary));
    return async ({ stream, textOf }, take) => {
      const streamer = new TextStreamer(tokenizer, {
        skip_prompt: true,
        callback_function: (text: string) => {
          if (text !== "") take(text);
        },
      });
      // As from a model: the first that it gets is the prompt.
      streamer.put([[]]);
      for await (const token of stream()) {
        textOf(token);
        streamer.put([[BigInt(token.id)]]);
      }
      streamer.end();
    };
  },
};

function tokenizerFiles(vocabulary: readonly string[]): [object, object] {
  const unknown = "<unknown>";
  const entries = vocabulary.flatMap((text, id) => (text === "" ? [] : [[text, id] as const]));
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: { type: "Fuse" },
    model: {
      type: "WordLevel",
      vocab: { ...Object.fromEntries(entries), [unknown]: vocabulary.length },
      unk_token: unknown,
    },
  };
  return [tokenizer, { clean_up_tokenization_spaces: false }];
}
