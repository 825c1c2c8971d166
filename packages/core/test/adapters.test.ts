import { createGenerator, type TokenSource } from "@streamgauge/core";
import {
  consumerRows,
  describeConformance,
  describeProducerDone,
  tokensToTheEnd,
  type ConformanceHarness,
  type FailingHarness,
} from "./adapter-conformance.js";
import { createScriptedBackend } from "./scripted-backend.js";

function open(capacity: number, failAt?: number): ConformanceHarness {
  const backend = createScriptedBackend(failAt === undefined ? { capacity } : { capacity, failAt });
  const sources: TokenSource[] = [];
  return {
    generator: createGenerator({
      collect: (request) => backend.collect(request),
      stream(request) {
        const source = backend.stream(request);
        sources.push(source);
        return source;
      },
    }),
    capacity,
    idle: async () => {
      for (let turn = 0; turn < 2 * capacity; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    untilMade: async () => {
      while (backend.ended < backend.begun) await new Promise((resolve) => setImmediate(resolve));
    },
    running: () => backend.begun - backend.ended,
    close: async () => {
      for (const source of sources) source.stop("closed");
      await Promise.all(sources.map(({ finished }) => finished));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function openFailing(capacity: number): FailingHarness {
  const tokens = tokensToTheEnd(capacity);
  return {
    ...open(capacity, tokens),
    failure: { config: { maxTokens: 20 }, tokens, code: "ENGINE_FAILED" },
  };
}

describeConformance(
  "a scripted producer",
  consumerRows,
  () => Promise.resolve(open(4)),
  () => Promise.resolve(openFailing(4)),
);

for (const capacity of [1, 4, 256]) {
  describeProducerDone(
    `a scripted producer behind a queue of ${capacity}`,
    consumerRows,
    () => Promise.resolve(open(capacity)),
    [{ by: "its engine", open: () => Promise.resolve(openFailing(capacity)) }],
  );
}
