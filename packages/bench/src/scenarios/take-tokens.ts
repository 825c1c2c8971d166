import type { GenerationResult, StreamToken } from "@streamgauge/core";
import type { Treatment } from "../record/index.js";
import type { ScenarioGenerator } from "../plan/generator-plan.js";
import type { Work } from "../measure/measured-run.js";

/** The treatments that deliver tokens one by one. */
export type StreamTreatment = Extract<Treatment, "stream" | "streamAsync">;

/**
 * Runs one generation in the way that the treatment stands for, and hands each
 * token over in the two streaming ones. A promise that `onToken` returns is
 * waited for before the next token.
 */
export async function takeTokens(
  generator: ScenarioGenerator,
  treatment: Treatment,
  { prompt, config }: Work,
  onToken: (token: StreamToken) => void | Promise<void>,
): Promise<GenerationResult> {
  switch (treatment) {
    case "generate":
    case "control":
      return await generator.generate(prompt, config);
    case "stream":
      return await generator.generateStream(prompt, onToken, config);
    case "streamAsync": {
      const stream = generator.generateStreamAsync(prompt, config);
      for await (const token of stream) {
        const pending = onToken(token);
        if (pending !== undefined) await pending;
      }
      return await stream.result;
    }
    default:
      return treatment satisfies never;
  }
}
