import type { HttpAnswer } from "./http-answer.js";

/** The whole text of a body. */
export async function textOf({ body }: HttpAnswer): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of body) text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}

/**
 * The text of a body that is to be quoted, as far as it comes: at most 64 Ki
 * characters and 5 seconds of it. What is left is given up, so an answer without
 * an end cannot hold up its error. A connection that breaks off is an end.
 */
export async function beginningOf(answer: HttpAnswer): Promise<string> {
  // Closing ends the read that waits.
  const timer = setTimeout(() => answer.close(), 5000);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const bytes of answer.body) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length >= 64 * 1024) break;
    }
  } catch {
    // What came before is still worth quoting.
  } finally {
    clearTimeout(timer);
    answer.close();
  }
  return text;
}
