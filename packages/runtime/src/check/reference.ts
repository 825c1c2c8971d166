import type { OpenOnnxModel } from "../engine/onnx-model.js";

/** What runs of all ids without a cache choose; each is made once. */
export interface Reference {
  /** Nats by which log-probabilities may differ because sums are in another order. */
  readonly tolerance: number;
  /** @throws what onnxruntime throws */
  behind(ids: readonly number[]): Promise<Next>;
}

/** What follows some ids. */
export interface Next {
  readonly expectedId: number;
  /** Natural logarithm of its probability. */
  readonly largest: number;
  readonly logprobOf: (id: number) => number;
}

/**
 * Largest differences seen of log-probabilities between rows that were run alone and together:
 * 4e-6 with floats of 32 bits, 2e-2 with half-precision floats and quantised matrices
 * (`docs/decisions/0017-prefix-reuse.md`). Where each activation is rounded by the range of its
 * whole run, a step and a run of all ids round differently at each layer.
 */
const tolerances = { exact: 1e-3, rounded: 0.1, byRange: 1 };

export function createReference({ fullContext, plan }: OpenOnnxModel): Reference {
  const known = new Map<string, Promise<Next>>();
  return {
    tolerance: tolerances[plan.rounding],
    behind(ids) {
      const key = ids.join();
      let next = known.get(key);
      if (next === undefined) known.set(key, (next = fullContext.logits(ids).then(nextOf)));
      return next;
    },
  };
}

function nextOf(logits: Float32Array): Next {
  let expectedId = 0;
  for (const [id, logit] of logits.entries()) {
    if (logit > (logits[expectedId] ?? 0)) expectedId = id;
  }
  const most = logits[expectedId] ?? Number.NaN;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - most);
  const logprobOf = (id: number): number => (logits[id] ?? Number.NaN) - most - Math.log(sum);
  return { expectedId, largest: logprobOf(expectedId), logprobOf };
}
