import { createDraw, type Draw } from "../statistics/draw.js";

/** Frequent words, each one token of most vocabularies with the space before it. */
const words: readonly string[] = (
  "the of and to in is that it was for on are as with his they at be this from have or by one had " +
  "not but what all were when we there can an your which their said if do will each about how up " +
  "out them then she many some so these would other into has more her two like him see time could " +
  "no make than first been its who now people my made over did down only way find use may water " +
  "long little very after words called just where most know get through back much go good new"
).split(" ");

/** Tokens that one `hash_ids` entry of a Mooncake trace stands for. */
export const tokensPerBlock = 512;

/**
 * Drawn words, for a prompt of about as many tokens. How many it has in truth the server says.
 *
 * @param count of words, ≥ 1
 */
export function fillerText(count: number, draw: Draw): string {
  return Array.from({ length: count }, () => draw.pick(words)).join(" ");
}

/**
 * The prompt of a trace's request. Requests that begin with the same blocks begin with the same
 * words, so that a server's prefix cache meets what it met when the trace was recorded.
 *
 * @param blocks each stands for {@link tokensPerBlock} words; those beyond are drawn
 */
export function blockText(count: number, blocks: readonly number[], draw: Draw): string {
  const parts: string[] = [];
  let left = count;
  for (const block of blocks) {
    if (left <= 0) break;
    const length = Math.min(tokensPerBlock, left);
    // The same words for a block in whatever request it is.
    parts.push(fillerText(length, createDraw(block)));
    left -= length;
  }
  if (left > 0) parts.push(fillerText(left, draw));
  return parts.join(" ");
}
