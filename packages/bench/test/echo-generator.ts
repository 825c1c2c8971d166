import { createGenerator, createTokenQueue, type GenerationSummary } from "@streamgauge/core";
import type { ScenarioGenerator } from "../src/plan/generator-plan.js";
import { plainToken } from "../../core/test/plain-token.js";

/** Makes 0, 1, 2, … as fast as it is asked: the least a generator can be. */
export function createEchoGenerator(): ScenarioGenerator {
  const summary: GenerationSummary = {
    finishReason: "length",
    promptTokens: 1,
    timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
  };
  const generator = createGenerator({
    collect: ({ config }) => ({
      stop: () => undefined,
      finished: Promise.resolve({
        ids: Array.from({ length: config.maxTokens }, (_, index) => index),
        text: "",
        logprobs: undefined,
        finishReason: summary.finishReason,
        usage: { promptTokens: 1, completionTokens: config.maxTokens },
        timings: summary.timings,
      }),
    }),
    stream: ({ config }) =>
      createTokenQueue((sink) => {
        for (let index = 0; index < config.maxTokens; index += 1) {
          sink.push(plainToken(index, { producedAtMilliseconds: performance.now() }));
        }
        return Promise.resolve(summary);
      }, Infinity).source,
  });
  return {
    ...generator,
    describe: () => ({ engine: "echo" }),
    close: () => Promise.resolve(),
  };
}
