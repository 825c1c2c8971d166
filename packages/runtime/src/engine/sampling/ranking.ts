/**
 * Ids in the order of a key, no more of them than are asked for: sorting a
 * vocabulary of 150,000 to find the likeliest few would cost more than the
 * model's step.
 *
 * The order is that of falling keys, ties by rising id, so it is total. Both
 * functions are binary heaps within the array of ids that they are given, and
 * allocate nothing.
 *
 * @module
 */

/** A number for each id. */
export type Keys = Float32Array | Float64Array;

/**
 * Puts the `count` ids with the largest keys, of all ids that have one, at the
 * beginning of `ids`, in order. O(V) and a little, where `count` is small.
 */
export function selectLargest(keys: Keys, count: number, ids: Int32Array): void {
  for (let id = 0; id < count; id++) ids[id] = id;
  // The last of the best so far is on top, ready to be replaced.
  build(keys, ids, count, true);
  let threshold = keys[ids[0] ?? 0] ?? 0;
  for (let id = count; id < keys.length; id++) {
    // A tie is lost: the ids in the heap are lower.
    if ((keys[id] ?? 0) <= threshold) continue;
    ids[0] = id;
    sink(keys, ids, count, 0, true);
    threshold = keys[ids[0] ?? 0] ?? 0;
  }
  for (let size = count - 1; size > 0; size--) moveTopBehind(keys, ids, size, true);
}

/**
 * Puts the first ids of the order, of the first `size` of `ids`, at its
 * beginning: one after the other until `enough` says so of one, or all are there.
 * O(size), and O(log size) for each.
 *
 * @returns how many there are; the rest of the first `size` is in no order
 */
export function rankUntil(
  keys: Keys,
  ids: Int32Array,
  size: number,
  enough: (id: number) => boolean,
): number {
  build(keys, ids, size, false);
  let rest = size;
  while (rest > 0) {
    const id = ids[0] ?? 0;
    rest -= 1;
    moveTopBehind(keys, ids, rest, false);
    if (enough(id)) break;
  }
  // They lie behind the heap, the first of them last.
  ids.subarray(rest, size).reverse();
  ids.copyWithin(0, rest, size);
  return size - rest;
}

/** Shrinks a heap to `size`, and puts what was on top where its last was. */
function moveTopBehind(keys: Keys, ids: Int32Array, size: number, reversed: boolean): void {
  const top = ids[0] ?? 0;
  ids[0] = ids[size] ?? 0;
  ids[size] = top;
  sink(keys, ids, size, 0, reversed);
}

function build(keys: Keys, ids: Int32Array, size: number, reversed: boolean): void {
  for (let root = (size >> 1) - 1; root >= 0; root--) sink(keys, ids, size, root, reversed);
}

/** Lets the id at `root` sink to its place in the heap that is the first `size` of `ids`. */
function sink(keys: Keys, ids: Int32Array, size: number, root: number, reversed: boolean): void {
  const moving = ids[root] ?? 0;
  let hole = root;
  for (;;) {
    let child = 2 * hole + 1;
    if (child >= size) break;
    const sibling = child + 1;
    if (sibling < size && isBefore(keys, ids[sibling] ?? 0, ids[child] ?? 0) !== reversed) {
      child = sibling;
    }
    if (isBefore(keys, ids[child] ?? 0, moving) === reversed) break;
    ids[hole] = ids[child] ?? 0;
    hole = child;
  }
  ids[hole] = moving;
}

function isBefore(keys: Keys, left: number, right: number): boolean {
  const leftKey = keys[left] ?? 0;
  const rightKey = keys[right] ?? 0;
  return leftKey > rightKey || (leftKey === rightKey && left < right);
}
