import type { ErrorCode, Generator } from "@streamgauge/core";
import { createRuntime, pacedModel, type Runtime } from "@streamgauge/runtime";
import { afterAll } from "vitest";
import {
  consumerRows,
  describeConformance,
  describeProducerDone,
  tokensToTheEnd,
  type ConformanceHarness,
  type FailingHarness,
  type LateFailure,
} from "../../core/test/adapter-conformance.js";

/** One for all cases of a capacity, so that each needs the worker that the one before it left. */
const runtimes = new Map<number, Promise<Runtime>>();

/** @param prompt what is streamed; by default what counts from 0 */
async function open(
  capacity: number,
  prompt: string | number[] = [999],
): Promise<ConformanceHarness> {
  let opening = runtimes.get(capacity);
  if (opening === undefined) {
    opening = createRuntime({
      model: pacedModel({ stepMicroseconds: 200, faults: true }),
      ring: { capacity },
    });
    runtimes.set(capacity, opening);
  }
  const runtime = await opening;
  const generator: Generator = {
    generate: (_, config) => runtime.generate([999], config),
    generateStream: (_, onToken, config) => runtime.generateStream(prompt, onToken, config),
    generateStreamAsync: (_, config) => runtime.generateStreamAsync(prompt, config),
  };
  return {
    generator,
    capacity,
    // The worker answers while it waits for room; until then it makes a token a turn.
    idle: async () => {
      for (let turn = 0; turn < 2 * capacity; turn++) await runtime.memory();
    },
    untilMade: async () => {
      while (runtime.metrics().active > 0) await new Promise((resolve) => setImmediate(resolve));
    },
    // Nobody on this thread can look; that the one worker is free shows it.
    running: () => undefined,
    close: () => close(capacity),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function openFailing(
  capacity: number,
  fault: string,
  code: ErrorCode,
): Promise<FailingHarness> {
  const tokens = tokensToTheEnd(capacity);
  const harness = await open(capacity, `${fault} at ${tokens}`);
  return { ...harness, failure: { config: { maxTokens: 20 }, tokens, code } };
}

async function close(capacity: number): Promise<void> {
  const runtime = await runtimes.get(capacity);
  runtimes.delete(capacity);
  await runtime?.close();
}

afterAll(() => Promise.all([...runtimes.keys()].map(close)));

const death: LateFailure = {
  by: "its worker's death",
  open: () => openFailing(4, "exit", "WORKER_FAILED"),
  isSlow: true,
};

describeConformance(
  "a worker behind a ring of 4",
  consumerRows,
  () => open(4),
  () => openFailing(4, "throw", "ENGINE_FAILED"),
);

for (const capacity of [1, 4, 256]) {
  describeProducerDone(
    `a worker behind a ring of ${capacity}`,
    consumerRows,
    () => open(capacity),
    [
      { by: "its engine", open: () => openFailing(capacity, "throw", "ENGINE_FAILED") },
      // What is left of a ring whose worker is gone does not depend on its size.
      ...(capacity === 4 ? [death] : []),
    ],
  );
}
