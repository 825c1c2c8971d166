import { asObject, isSaid, nonEmpty } from "./json-values.js";
import { quote } from "./openai-failure.js";

/** Makes the error for a field whose shape is unknown, so that its text would be lost. */
export type RefuseShape = (field: string, shape: string) => Error;

/** Fields beside text whose content was generated too. */
const notText = ["tool_calls", "function_call", "audio"];

/**
 * The text of a message or a delta: what it reasons, then its content, then a
 * refusal. Empty where it has none.
 *
 * `reasoning_content` and `reasoning` are two names of one thing, and servers that
 * change from one to the other send both: then it counts once.
 *
 * @param at the message's name, for errors
 */
export function textOfMessage(value: unknown, at: string, refuse: RefuseShape): string {
  if (value === undefined || value === null) return "";
  const message = asObject(value);
  if (message === undefined) throw refuse(at, kindOf(value));
  for (const field of notText) {
    if (isSaid(message[field])) throw refuse(`${at}.${field}`, kindOf(message[field]));
  }
  const textOf = (field: string): string => {
    const content = message[field];
    // Most fields are missing, and every chunk has them looked for.
    return content === undefined ? "" : textOfContent(content, `${at}.${field}`, refuse);
  };
  const named = textOf("reasoning_content");
  const renamed = textOf("reasoning");
  const reasoning = named === renamed ? named : named + renamed;
  return (
    // OpenRouter's parts repeat its `reasoning`, and can stand alone.
    (reasoning === "" ? textOf("reasoning_details") : reasoning) +
    textOf("content") +
    textOf("refusal")
  );
}

/**
 * The text of a field: a string, or parts of text and thinking in their order.
 * Mistral's reasoning models send parts (docs.mistral.ai/capabilities/reasoning).
 */
export function textOfContent(
  value: unknown,
  at: string,
  refuse: RefuseShape,
  depth: number = 0,
): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  // Parts have parts, but those have none. Whoever nests deeper wants to exhaust our stack.
  if (!Array.isArray(value) || depth === 2) throw refuse(at, kindOf(value));
  return value.map((part: unknown) => textOfPart(part, `a part of ${at}`, refuse, depth)).join("");
}

/** Where the text of a part is, for each type of part that has text. */
const textFields: Readonly<Record<string, readonly string[]>> = {
  text: ["text"],
  output_text: ["text"],
  thinking: ["thinking"],
  reasoning: ["reasoning", "text"],
  refusal: ["refusal"],
  // OpenRouter's `reasoning_details`.
  "reasoning.text": ["text"],
  "reasoning.summary": ["summary"],
  // Without readable text, by intent.
  "reasoning.encrypted": [],
};

function textOfPart(part: unknown, at: string, refuse: RefuseShape, depth: number): string {
  if (typeof part === "string") return part;
  const object = asObject(part);
  if (object === undefined) throw refuse(at, kindOf(part));
  const type = nonEmpty(object["type"]) ?? "text";
  const fields = Object.hasOwn(textFields, type) ? textFields[type] : undefined;
  if (fields === undefined) throw refuse(at, `"${quote(type)}"`);
  if (fields.length === 0) return "";
  const field = fields.find((name) => Object.hasOwn(object, name));
  if (field === undefined) throw refuse(at, `"${type}" without ${fields.join(" or ")}`);
  return textOfContent(object[field], `${at}, its ${field}`, refuse, depth + 1);
}

/** What a value is, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
