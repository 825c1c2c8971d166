/**
 * Which of several hypotheses are rejected, so that with a probability of at
 * most `alpha` any true one is among them, whatever depends on what (Holm 1979,
 * "A simple sequentially rejective multiple test procedure").
 *
 * It takes tests and no p-values: of k hypotheses that are left, those that are
 * rejected at alpha / k are, until none is. That is the same, and lets interval
 * bounds be the tests.
 *
 * @param rejects whether a hypothesis, by its index, is rejected at a level;
 *   what is rejected at one level has to be rejected at each higher one
 * @returns the indices that are rejected
 */
export function holm(
  hypotheses: number,
  alpha: number,
  rejects: (hypothesis: number, level: number) => boolean,
): ReadonlySet<number> {
  const rejected = new Set<number>();
  for (;;) {
    const left = Array.from({ length: hypotheses }, (_, index) => index).filter(
      (index) => !rejected.has(index),
    );
    const found = left.filter((index) => rejects(index, alpha / left.length));
    if (found.length === 0) return rejected;
    for (const index of found) rejected.add(index);
  }
}
