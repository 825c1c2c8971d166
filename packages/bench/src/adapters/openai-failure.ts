import { printable, StreamgaugeError } from "@streamgauge/core";
import { asObject, isSaid, nonEmpty, parseJson } from "./json-values.js";

/**
 * Whether an object is a server's report of an error. llama.cpp, TGI, SGLang,
 * OpenRouter and newer vLLM have an `error`; older vLLM has `object: "error"`;
 * gateways send a `message` or a `detail` instead of an answer.
 *
 * Shapes: github.com/ggml-org/llama.cpp/pull/16109, github.com/BerriAI/litellm/issues/25492,
 * github.com/huggingface/text-generation-inference/pull/2668,
 * openrouter.ai/docs/api/reference/errors-and-debugging.
 */
export function isFailure(answer: Readonly<Record<string, unknown>>): boolean {
  if (isSaid(answer["error"])) return true;
  if (answer["object"] === "error" || answer["type"] === "error") return true;
  const isAnswer = Array.isArray(answer["choices"]) || asObject(answer["usage"]) !== undefined;
  return !isAnswer && messageIn(answer) !== undefined;
}

/**
 * `ENGINE_FAILED` for an error that a server sends after it has answered 200.
 *
 * @param body as it was sent; it is quoted, with a limit
 */
export function reportedError(body: string, url: string): StreamgaugeError {
  const said = failureInBody(body);
  return new StreamgaugeError(
    "ENGINE_FAILED",
    said === ""
      ? `${url} reported an error without a message: see the server's log.`
      : `${url} reported an error: ${said} (see the server's log)`,
  );
}

/** What the body of an error says, in the several shapes that servers use; quoted. */
export function failureInBody(body: string): string {
  const object = asObject(parseJson(body));
  return quote((object === undefined ? undefined : messageIn(object)) ?? body);
}

/** What an object with an error says; undefined where it is without words. */
export function messageIn(object: Readonly<Record<string, unknown>>): string | undefined {
  const error = object["error"];
  const detail = object["detail"];
  return (
    nonEmpty(asObject(error)?.["message"]) ??
    nonEmpty(error) ??
    nonEmpty(object["message"]) ??
    nonEmpty(detail) ??
    // FastAPI's report of an invalid request.
    nonEmpty(asObject(Array.isArray(detail) ? detail[0] : undefined)?.["msg"]) ??
    nonEmpty(object["details"]) ??
    nonEmpty(object["msg"])
  );
}

/**
 * Foreign text for a message of ours: one line, at most 300 characters, and
 * nothing in it that a terminal obeys.
 */
export function quote(text: string): string {
  // Before cleaning, because a body can be large.
  const clean = text
    .slice(0, 16 * shownCharacters)
    .replaceAll(/\s+/g, " ")
    .trim();
  const isCut = clean.length > shownCharacters || text.length > 16 * shownCharacters;
  return `${printable(clean.slice(0, shownCharacters))}${isCut ? "…" : ""}`;
}

/** Enough to recognise a body by. */
const shownCharacters = 300;
