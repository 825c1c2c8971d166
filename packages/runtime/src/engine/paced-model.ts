import { setImmediate as nextTurn } from "node:timers/promises";
import {
  StreamgaugeError,
  requestedOptions,
  type OptionalOption,
  type ResolvedConfig,
} from "@streamgauge/core";
import type { Model, Sequence, TextAssembler } from "./model.js";

/** A model that only keeps time; see {@link pacedModel}. */
export interface PacedModel {
  readonly kind: "paced";
  readonly stepMicroseconds: number;
}

/** Ids the paced model emits, again and again: `index mod pacedCycle`. */
export const pacedCycle = 1000;
const contextLength = 1_048_576;

/**
 * A model that emits known ids, each a fixed time after the one before was
 * taken, for measuring delivery without a model's noise. Token `i` has the id
 * `i mod 1000` and the text of that number behind a space.
 *
 * A step occupies its thread for the whole time, as a step of a real model does.
 *
 * @param options.stepMicroseconds time of one step, ≥ 0; 0 emits as fast as possible
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function pacedModel(options: { readonly stepMicroseconds: number }): PacedModel {
  const { stepMicroseconds } = options;
  if (!(Number.isFinite(stepMicroseconds) && stepMicroseconds >= 0)) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `stepMicroseconds is ${String(stepMicroseconds)}; it must be a finite number ≥ 0.`,
    );
  }
  return { kind: "paced", stepMicroseconds };
}

/** The paced model as the decode loop sees it. */
export function openPacedModel({ stepMicroseconds }: PacedModel): Model {
  return {
    contextLength,
    vocabularySize: pacedCycle,
    eosTokenIds: new Set(),
    // One id per character: long enough to be a prompt, and nothing depends on it.
    encode: (text) => Array.from(text, (_, index) => index % pacedCycle),
    createDetokenizer: () => spelling,
    begin: (config) => {
      refuseSampling(config);
      return createPacedSequence(stepMicroseconds / 1000);
    },
    close: () => Promise.resolve(),
  };
}

const spelling: TextAssembler = { push: (id) => ` ${id}`, flush: () => "" };

function createPacedSequence(stepMilliseconds: number): Sequence {
  let chosen = 0;
  return {
    advance: async () => {
      // onnxruntime runs a step in a turn of its own; so does this.
      await nextTurn();
      const due = performance.now() + stepMilliseconds;
      while (performance.now() < due);
    },
    choose: () => ({ id: chosen++ % pacedCycle, logprob: undefined, topLogprobs: undefined }),
  };
}

/** What the decode loop does by itself, whatever the model. */
const honoured: ReadonlySet<OptionalOption> = new Set(["stop", "stopTokenIds", "ignoreEos"]);

function refuseSampling(config: ResolvedConfig): void {
  const refused = requestedOptions(config).find((option) => !honoured.has(option));
  if (refused === undefined) return;
  throw new StreamgaugeError(
    "INVALID_CONFIG",
    `The paced model emits fixed ids, so it has no use for "${refused}": leave the option out.`,
  );
}
