import type { Estimate } from "../src/record/index.js";

/** The standard error of a share of 5 % in so many experiments is half a percentage point. */
export const experiments = 2000;

export const seed = 20261123;

/** Milliseconds that simulating them may take on a busy machine. */
export const patience = 60_000;

/** The truth of every experiment lies exactly on the limit, where wrong verdicts are likeliest. */
export const limit = 0.05;

/** The same as a log-ratio. */
export const truth: number = Math.log1p(limit);

/** How often each thing happened, as shares of the experiments. */
export class Tally<Name extends string> {
  readonly #counts = new Map<Name, number>();
  readonly #experiments: number;

  /** @param of experiments that are counted */
  constructor(of: number = experiments) {
    this.#experiments = of;
  }

  count(name: Name, happened: boolean): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + (happened ? 1 : 0));
  }

  share(name: Name): number {
    return (this.#counts.get(name) ?? 0) / this.#experiments;
  }

  percents(): Record<string, string> {
    return Object.fromEntries(
      [...this.#counts.keys()].map((name) => [name, (this.share(name) * 100).toFixed(1)]),
    );
  }

  /** Those of the shares that are not within the bounds. */
  outside(names: readonly Name[], lowest: number, highest: number): Record<string, number> {
    return Object.fromEntries(
      names
        .map((name) => [name, this.share(name)] as const)
        .filter(([, share]) => !(share >= lowest && share <= highest)),
    );
  }
}

/** Whether the 95 % interval does. */
export function contains({ interval95: { lower, upper } }: Estimate, value: number): boolean {
  return lower <= value && value <= upper;
}
