/** How many elements two lists, or code units two texts, have in common at their beginning. */
export function commonPrefixLength<T>(left: ArrayLike<T>, right: ArrayLike<T>): number {
  const most = Math.min(left.length, right.length);
  let length = 0;
  while (length < most && left[length] === right[length]) length += 1;
  return length;
}

/** The part of a prompt that must be kept somewhere for that to decide where it is run. */
const leastShared = 1 / 10;

/**
 * What it is worth that so much of a prompt is kept in one place and not in another.
 * What every prompt begins with, as the id of the beginning, is worth nothing: to save a
 * step's work it would displace another conversation.
 */
export function worthOf(shared: number, promptLength: number): number {
  return shared >= promptLength * leastShared ? shared : 0;
}
