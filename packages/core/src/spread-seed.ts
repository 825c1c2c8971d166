/** Steps and multipliers of SplitMix64 (Steele, Lea and Flood 2014; Vigna's splitmix64.c). */
const step = 0x9e3779b97f4a7c15n;
const firstMultiplier = 0xbf58476d1ce4e5b9n;
const secondMultiplier = 0x94d049bb133111ebn;

/**
 * The 128 bits that a generator of random numbers starts from, as four signed words of
 * 32 bits, the upper of each pair first. Two outputs of SplitMix64, as the authors of
 * xoroshiro128+ advise: started from the seed itself, a generator's first draws are nearly
 * the same for all small seeds. Different seeds give different bits, which are never all 0.
 *
 * @param seed an integer
 * @throws RangeError for a number that is not an integer
 */
export function spreadSeed(seed: number): readonly [number, number, number, number] {
  const first = scatter(BigInt(seed) + step);
  const second = scatter(BigInt(seed) + 2n * step);
  return [upper(first), lower(first), upper(second), lower(second)];
}

function scatter(counter: bigint): bigint {
  let bits = BigInt.asUintN(64, counter);
  bits = BigInt.asUintN(64, (bits ^ (bits >> 30n)) * firstMultiplier);
  bits = BigInt.asUintN(64, (bits ^ (bits >> 27n)) * secondMultiplier);
  return bits ^ (bits >> 31n);
}

function upper(bits: bigint): number {
  return Number(BigInt.asIntN(32, bits >> 32n));
}

function lower(bits: bigint): number {
  return Number(BigInt.asIntN(32, bits));
}
