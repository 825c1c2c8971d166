import { createGenerator, type TokenSource } from "@streamgauge/core";
import {
  consumerRows,
  describeConformance,
  type ConformanceHarness,
} from "./adapter-conformance.js";
import { createScriptedBackend } from "./scripted-backend.js";

const capacity = 4;

function open(failAt?: number): ConformanceHarness {
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
    running: () => backend.begun - backend.ended,
    close: async () => {
      for (const source of sources) source.stop("closed");
      await Promise.all(sources.map(({ finished }) => finished));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

describeConformance(
  "a scripted producer",
  consumerRows,
  () => Promise.resolve(open()),
  () =>
    Promise.resolve({
      ...open(7),
      failure: { config: { maxTokens: 20 }, tokens: 7, code: "ENGINE_FAILED" },
    }),
);
