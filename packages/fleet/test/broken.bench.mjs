import { defineScenario } from "@streamgauge/bench";

/** A generator that cannot be made. */
export const broken = defineScenario({
  name: "broken",
  open: () => Promise.reject(new Error("There is no engine in here.")),
  prompt: [1],
  tokens: [5],
  blocks: 2,
});
