import type { Generator } from "@streamgauge/core";
import type { TimedIds } from "./peer-engine.js";

/** The name that tables use. */
export const ownName = "streamgauge";

/** Greedy, past the end of the text, stamped as the user's code gets each token. */
export async function takeTimed(
  generator: Generator,
  prompt: readonly number[],
  tokens: number,
): Promise<TimedIds> {
  const ids: number[] = [];
  const atNanoseconds: number[] = [];
  await generator.generateStream(
    prompt,
    ({ id }) => {
      atNanoseconds.push(performance.now() * 1e6);
      ids.push(id);
    },
    { maxTokens: tokens, temperature: 0, ignoreEos: true },
  );
  return { ids, atNanoseconds };
}

/** From the first token to the last, per token, in milliseconds. */
export function decodeMilliseconds({ atNanoseconds }: TimedIds): number {
  const first = atNanoseconds[0] as number;
  const last = atNanoseconds.at(-1) as number;
  return (last - first) / 1e6 / (atNanoseconds.length - 1);
}

/** From each token to the next. */
export function gapsOf({ atNanoseconds }: TimedIds): number[] {
  return atNanoseconds.slice(1).map((at, index) => at - (atNanoseconds[index] as number));
}
