import { needsRuntime } from "../plan/needs-runtime.js";

/** Prompts of a drill on the embedded model. */
export const embeddedPrompts: readonly string[] = [
  "Call me Ishmael.",
  "It is not down in any map;",
  "The whale",
  "Fellow citizens of the Senate and House of Representatives:",
];

/** More than a consumer of a drill sees before its fault, with what its ring may hold. */
const referenceTokens = 128;

/** The ids that the embedded model makes of each prompt when it is left in peace. */
export async function referenceCompletions(): Promise<Map<string, number[]>> {
  const { createRuntime } = await needsRuntime(() => import("@streamgauge/runtime"));
  await using runtime = await createRuntime();
  const completions = new Map<string, number[]>();
  for (const prompt of embeddedPrompts) {
    const { ids } = await runtime.generate(prompt, { maxTokens: referenceTokens, ignoreEos: true });
    completions.set(prompt, [...ids]);
  }
  return completions;
}
