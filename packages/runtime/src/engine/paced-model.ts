import { setImmediate as nextTurn } from "node:timers/promises";
import {
  StreamgaugeError,
  booleanCheck,
  numberCheck,
  readOptions,
  requestedOptions,
  type OptionTable,
  type OptionalOption,
  type ResolvedConfig,
} from "@streamgauge/core";
import type { Model, Sequence, TextAssembler } from "./model.js";
import { commitFault, parsePacedFault, type PacedFault } from "./paced-fault.js";

/** A model that only keeps time; see {@link pacedModel}. */
export interface PacedModel {
  readonly kind: "paced";
  readonly stepMicroseconds: number;
  /** Whether text prompts command faults. */
  readonly faults: boolean;
}

export interface PacedModelOptions {
  /** Time of one step, ≥ 0; 0 emits as fast as possible. */
  readonly stepMicroseconds: number;
  /** Whether text prompts command faults. Default false: they are plain. */
  readonly faults?: boolean;
}

const table: OptionTable<PacedModelOptions, Required<PacedModelOptions>> = {
  stepMicroseconds: { check: numberCheck({ from: 0 }) },
  faults: { check: booleanCheck, default: false },
};

/** Ids of the paced model, which it emits in turn, again and again. */
const pacedCycle = 1000;
const contextLength = 1_048_576;

/**
 * A model that emits known ids, each a fixed time after the one before was
 * taken, for measuring delivery without a model's noise. It counts on from the
 * prompt's last id, modulo 1000, so that each stream shows whose it is; after a
 * text prompt, token `i` has the id `i mod 1000`. A token's text is its id's
 * number behind a space.
 *
 * It has no chat template, so it refuses conversations.
 *
 * A step occupies its thread for the whole time, as a step of a real model does.
 *
 * With `faults` it is what fault drills are made of: every text prompt is then a
 * command, the name of a fault and the number of tokens before it. "throw at 3"
 * makes the engine fail (`ENGINE_FAILED`; the worker goes on). "uncaught at 3"
 * (an uncaught exception), "reject at 3" (an unhandled rejection), "exit at 3"
 * (`process.exit()`) and "heap at 3" (memory until the limit, which
 * `maxHeapMegabytes` should make small) end the worker's thread; in
 * `createInlineGenerator()` they would end the process. Prompts of ids command nothing.
 *
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function pacedModel(options: PacedModelOptions): PacedModel {
  return { kind: "paced", ...readOptions(options, table) };
}

/** The paced model as the decode loop sees it. */
export function openPacedModel({ stepMicroseconds, faults }: PacedModel): Model {
  // What the prompt that was encoded last commands; the sequence that begins next takes it.
  let commanded: PacedFault | undefined;
  return {
    contextLength,
    vocabularySize: pacedCycle,
    eosTokenIds: new Set(),
    encode: (text) => {
      commanded = faults ? parsePacedFault(text) : undefined;
      // One id per character, the last of the cycle, so that the completion begins at 0.
      return Array.from(text, () => pacedCycle - 1);
    },
    encodeChat: undefined,
    maxBatch: 1,
    createDetokenizer: () => spelling,
    begin: (config) => {
      const fault = commanded;
      commanded = undefined;
      refuseSampling(config);
      return createPacedSequence(stepMicroseconds / 1000, fault);
    },
    forget: () => undefined,
    close: () => Promise.resolve(),
  };
}

const spelling: TextAssembler = { push: (id) => ` ${id}`, flush: () => "" };

function createPacedSequence(stepMilliseconds: number, fault: PacedFault | undefined): Sequence {
  let last = -1;
  let chosen = 0;
  return {
    cachedTokens: 0,
    mostIdsAtOnce: 256,
    end: () => undefined,
    startsAgain: () => false,
    advance: async (ids) => {
      // onnxruntime runs a step in a turn of its own; so does this.
      await nextTurn();
      last = ids.at(-1) ?? last;
      if (fault?.afterTokens === chosen) {
        commitFault(fault);
        // What ends the thread from outside of this step comes in its next turn.
        if (fault.kind !== "throw") await nextTurn();
      }
      const due = performance.now() + stepMilliseconds;
      while (performance.now() < due);
    },
    choose: () => {
      chosen += 1;
      return { id: (last + 1) % pacedCycle, logprob: undefined, topLogprobs: undefined };
    },
  };
}

/** What the decode loop does by itself, whatever the model. */
const honoured: ReadonlySet<OptionalOption> = new Set([
  "stop",
  "stopTokenIds",
  "ignoreEos",
  // It has no special tokens.
  "plainPrompt",
]);

function refuseSampling(config: ResolvedConfig): void {
  const refused = requestedOptions(config).find((option) => !honoured.has(option));
  if (refused === undefined) return;
  throw new StreamgaugeError(
    "INVALID_CONFIG",
    `The paced model emits fixed ids, so it has no use for "${refused}": leave the option out.`,
  );
}
