import { messageOf, StreamgaugeError } from "@streamgauge/core";
import type { z } from "zod";

/** No message but a manifest comes near it. */
const mostCharacters = 2 ** 20;

/**
 * Reads a message that anybody with the server's password could have written.
 *
 * @param what it is, in a sentence: "the message of an agent"
 * @throws StreamgaugeError `INVALID_MESSAGE`
 */
export function readMessage<Message>(
  schema: z.ZodType<Message>,
  text: string,
  what: string,
): Message {
  if (text.length > mostCharacters) throw invalid(what, `it has ${text.length} characters`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw invalid(what, `it is not JSON (${messageOf(cause)})`);
  }
  return checkMessage(schema, json, what);
}

/** The same for what is parsed already. */
export function checkMessage<Message>(
  schema: z.ZodType<Message>,
  json: unknown,
  what: string,
): Message {
  const { success, data, error } = schema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  throw invalid(what, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it is wrong"}`);
}

function invalid(what: string, why: string): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_MESSAGE",
    `In Redis, ${what} is not one that this version takes: ${why}. Run the same version of ` +
      `streamgauge on every machine, or choose another prefix.`,
  );
}
