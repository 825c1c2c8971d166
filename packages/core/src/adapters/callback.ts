import { StreamgaugeError } from "../errors.js";
import type { GenerationResult, TokenCallback } from "../generator.js";
import type { TokenSource } from "../token-source.js";
import type { Transcript } from "../transcript.js";
import type { ArmStops } from "./arm-stops.js";
import { TokenReader } from "./token-reader.js";

/**
 * Delivers a source's tokens to a callback, one after the other, and resolves
 * when the producer has ended.
 *
 * @throws StreamgaugeError `CALLBACK_FAILED` when the callback threw or rejected
 */
export async function deliverToCallback(
  source: TokenSource,
  onToken: TokenCallback,
  transcript: Transcript,
  armStops: ArmStops,
): Promise<GenerationResult> {
  const reader = new TokenReader(source);
  const disarm = armStops((reason) => source.stop(reason));
  let failure: { cause: unknown } | undefined;
  for (;;) {
    // Awaiting only a promise keeps tokens that are here already in one turn.
    const next = reader.next();
    const token = next instanceof Promise ? await next : next;
    if (token === undefined) break;
    transcript.add(token);
    try {
      const answer = onToken(token);
      if ((typeof answer === "object" ? await answer : answer) === false) source.stop("cancelled");
    } catch (cause) {
      failure = { cause };
      source.stop("cancelled");
    }
  }
  disarm();
  try {
    const summary = await source.finished;
    if (failure === undefined) return transcript.result(summary, source.stopReason);
  } catch (error) {
    if (failure === undefined) throw transcript.failure(error);
  }
  throw new StreamgaugeError(
    "CALLBACK_FAILED",
    "The onToken callback failed, so the generation was stopped; see `cause` for what it threw.",
    { cause: failure.cause, partial: transcript.partial },
  );
}
