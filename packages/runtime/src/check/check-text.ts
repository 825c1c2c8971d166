import { messageOf, type ChatMessage } from "@streamgauge/core";
import type { Model } from "../engine/model.js";

/** What a folder's tokenizer and chat template do with a few texts. They decide no verdict. */
export interface CheckedText {
  /** "none": the model takes ids. Lossy tokenizers are no mistake: some lower or normalise text. */
  readonly tokenizer: "none" | "gives texts back" | "changes texts";
  /** A text, and what became of it. */
  readonly changed: readonly (readonly [text: string, became: string])[];
  readonly chatTemplate: "none" | "renders" | "renders without a system message" | "fails";
  /** Ids of a conversation of three messages; what the template said where it failed. */
  readonly chatDetail: string;
}

const texts = [
  "The whale came up, and the captain said: 1,850 barrels!",
  "naïve café, Ærøskøbing, Łódź",
  "你好,世界 🙂 👩‍👩‍👧",
  "  def f(x):\n\treturn x  # two\n\n",
  "a  b   c",
];

const conversation: readonly ChatMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "What is a whale?" },
  { role: "assistant", content: "A mammal." },
  { role: "user", content: "How long is it?" },
];

export async function checkText(model: Model): Promise<CheckedText> {
  const { encode } = model;
  const changed = encode === undefined ? [] : changedTexts(model, encode);
  const [chatTemplate, chatDetail] = await checkTemplate(model);
  let tokenizer: CheckedText["tokenizer"] = "none";
  if (encode !== undefined) tokenizer = changed.length > 0 ? "changes texts" : "gives texts back";
  return { tokenizer, changed, chatTemplate, chatDetail };
}

function changedTexts(
  model: Model,
  encode: (text: string) => readonly number[],
): [string, string][] {
  const changed: [string, string][] = [];
  for (const text of texts) {
    const detokenizer = model.createDetokenizer();
    const pieces = encode(text).map((id) => detokenizer.push(id));
    const became = pieces.join("") + detokenizer.flush();
    if (became !== text) changed.push([text, became]);
  }
  return changed;
}

async function checkTemplate({
  encodeChat,
}: Model): Promise<[CheckedText["chatTemplate"], detail: string]> {
  if (encodeChat === undefined) return ["none", ""];
  let failure: unknown;
  for (const messages of [conversation, conversation.slice(1)]) {
    try {
      const ids = await encodeChat(messages, false);
      const said = `${messages.length} messages are ${ids.length} ids`;
      if (messages === conversation) return ["renders", said];
      return ["renders without a system message", `${said}; with one: ${messageOf(failure)}`];
    } catch (error) {
      failure = error;
    }
  }
  return ["fails", messageOf(failure)];
}
