import { defineScenario } from "file:///tmp/tmp.yK8yhXM2cB/tree/packages/bench/dist/index.js";
import { createInlineGenerator, pacedModel } from "@streamgauge/runtime";
export const tiny = defineScenario({
  name: "tiny",
  open: () => createInlineGenerator({ model: pacedModel({ stepMicroseconds: 20 }) }),
  prompt: [1],
  tokens: [5, 10],
  blocks: 2,
});
