import { createRuntime, pacedModel, type Runtime } from "@streamgauge/runtime";
import { afterAll } from "vitest";
import {
  consumerRows,
  describeConformance,
  type ConformanceHarness,
} from "../../core/test/adapter-conformance.js";

const capacity = 4;

/** One for all cases, so that each needs the worker that the one before it left. */
let runtime: Promise<Runtime> | undefined;

async function open(): Promise<ConformanceHarness> {
  runtime ??= createRuntime({
    model: pacedModel({ stepMicroseconds: 200 }),
    ring: { capacity },
  });
  const generator = await runtime;
  return {
    generator,
    capacity,
    // The worker answers while it waits for room; until then it makes a token a turn.
    idle: async () => {
      for (let turn = 0; turn < 2 * capacity; turn++) await generator.memory();
    },
    // Nobody on this thread can look; that the one worker is free shows it.
    running: () => undefined,
    close,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function close(): Promise<void> {
  const opened = await runtime;
  runtime = undefined;
  await opened?.close();
}

afterAll(close);

describeConformance("a worker behind a small ring", consumerRows, open, async () => ({
  ...(await open()),
  // The worker knows the vocabulary: only there can an id be outside of it.
  failure: { config: { stopTokenIds: [1_000_000] }, tokens: 0, code: "INVALID_CONFIG" },
}));
