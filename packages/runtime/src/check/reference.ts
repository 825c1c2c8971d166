import type { OpenOnnxModel } from "../engine/onnx-model.js";

/** What runs of all ids without a cache choose; each is made once. */
export interface Reference {
  /** @throws what onnxruntime throws */
  behind(ids: readonly number[]): Promise<Next>;
}

/** What follows some ids. */
export interface Next {
  readonly expectedId: number;
  /** Natural logarithm of its probability. */
  readonly largest: number;
  readonly logprobOf: (id: number) => number;
  /** Nats by which log-probabilities may differ because sums are in another order. */
  readonly tolerance: number;
}

/**
 * How much of the logits' standard deviation a log-probability may differ by. Largest differences
 * seen between rows that were run alone and together, where that deviation is 1 to 3: 5e-6 with
 * floats of 32 bits, 2e-2 with half-precision floats and quantised matrices. Where each
 * activation is rounded by the range of its whole run, a step and a run of all ids round
 * differently at each layer.
 */
const tolerances = { exact: 1e-3, rounded: 5e-2, byRange: 0.5 };

export function createReference({ fullContext, plan }: OpenOnnxModel): Reference {
  const known = new Map<string, Promise<Next>>();
  const toNext = (logits: Float32Array): Next => nextOf(logits, tolerances[plan.rounding]);
  return {
    behind(ids) {
      const key = ids.join();
      let next = known.get(key);
      if (next === undefined) known.set(key, (next = fullContext.logits(ids).then(toNext)));
      return next;
    },
  };
}

function nextOf(logits: Float32Array, tolerance: number): Next {
  let expectedId = 0;
  for (const [id, logit] of logits.entries()) {
    if (logit > (logits[expectedId] ?? 0)) expectedId = id;
  }
  const most = logits[expectedId] ?? Number.NaN;
  let [sum, distance, squares] = [0, 0, 0];
  for (const logit of logits) {
    sum += Math.exp(logit - most);
    distance += logit - most;
    squares += (logit - most) ** 2;
  }
  const count = logits.length;
  const deviation = Math.sqrt(Math.max(0, squares / count - (distance / count) ** 2));
  const logprobOf = (id: number): number => (logits[id] ?? Number.NaN) - most - Math.log(sum);
  const largest = logprobOf(expectedId);
  return { expectedId, largest, logprobOf, tolerance: tolerance * deviation };
}
