import {
  consumerAsleepWord,
  headWord,
  headerBytes,
  producerAsleepWord,
  producerStateWord,
  ringBytes,
  stopWord,
  tailWord,
  type RingMemory,
} from "./layout.js";

const usedWords: readonly number[] = [
  headWord,
  tailWord,
  producerStateWord,
  stopWord,
  consumerAsleepWord,
  producerAsleepWord,
];

/** How many canaries there are, and how many of them were overwritten. */
export interface CanaryCount {
  readonly planted: number;
  readonly dead: number;
}

/**
 * Marks every word of a ring's memory that neither end has any business with: the
 * rest of the cache lines that hold the counters and the states, and what is
 * behind the slots where the buffer is longer than the ring. A slot has none.
 * For tests of a ring in the place where it runs, before the first token.
 *
 * @returns counts the canaries; may be called at any time, on this thread
 */
export function plantCanaries({ buffer, capacity }: RingMemory): () => CanaryCount {
  const words = new Int32Array(buffer);
  const positions: number[] = [];
  for (let word = 0; word < words.length; word++) {
    const isInHeader = word < headerBytes / 4 && !usedWords.includes(word);
    if (isInHeader || word >= ringBytes(capacity) / 4) positions.push(word);
  }
  for (const word of positions) words[word] = canaryOf(word);
  return () => ({
    planted: positions.length,
    dead: positions.filter((word) => words[word] !== canaryOf(word)).length,
  });
}

/** Differs from word to word, so that a shifted copy is seen too. */
function canaryOf(word: number): number {
  return 0x5ca1ab1e ^ word;
}
