/** How many elements two lists, or code units two texts, have in common at their beginning. */
export function commonPrefixLength<T>(left: ArrayLike<T>, right: ArrayLike<T>): number {
  const most = Math.min(left.length, right.length);
  let length = 0;
  while (length < most && left[length] === right[length]) length += 1;
  return length;
}
