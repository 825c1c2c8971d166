import { defineScenario } from "@streamgauge/bench";
import { createInlineGenerator, pacedModel } from "@streamgauge/runtime";

/** Two short cells on the paced engine, in the thread that measures. */
export const tiny = defineScenario({
  name: "tiny",
  open: () => createInlineGenerator({ model: pacedModel({ stepMicroseconds: 5 }) }),
  prompt: [1],
  tokens: [5, 10],
  blocks: 8,
});
