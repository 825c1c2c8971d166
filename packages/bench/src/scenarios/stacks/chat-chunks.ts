/** A chunk of the chat completions interface, as an event of a stream. */
export function chunkEvent(text: string): string {
  return eventOf({ content: text }, null);
}

/** The first chunk: it says whose text it is, and has none. */
export const startEvent: string = eventOf({ role: "assistant", content: "" }, null);

/** The last chunk, and the word that ends the stream. */
export const endEvents: string = `${eventOf({}, "length")}data: [DONE]\n\n`;

/** The text of an event's data; empty at the end. @throws SyntaxError where it is no JSON */
export function textOfChunk(data: string): string {
  if (data === "[DONE]") return "";
  return (JSON.parse(data) as Chunk).choices[0]?.delta.content ?? "";
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string } }[];
}

function eventOf(delta: object, finishReason: string | null): string {
  const chunk = {
    id: "chatcmpl-0",
    object: "chat.completion.chunk",
    created: 0,
    model: "known-tokens",
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  };
  return `data: ${JSON.stringify(chunk)}\n\n`;
}
