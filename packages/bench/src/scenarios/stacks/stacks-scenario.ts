import { measurementsOn, paced, withRing } from "../../plan/build-stage.js";
import type { Scenario } from "../../plan/stage.js";
import { stackMeasurement } from "./stack-measurement.js";

/**
 * In a burst, in this thread: nothing but the stacks costs CPU time, and each is asked for the next
 * token as soon as it can take it. At a pace, from a worker thread whose ring wakes for each token:
 * what a token waits for.
 */
export const stacks: Scenario = {
  name: "stacks",
  description: "known tokens through ai, openai, LangChain.js, streams, sockets: cost, growth",
  stages: (size) => {
    const blocks = { quick: 6, standard: 18, full: 18 }[size];
    return [
      measurementsOn(paced(0, "inline"), [
        stackMeasurement({
          id: "stacks-burst",
          tokens: [100, 1000, 10_000],
          blocks,
          allocationBlocks: 6,
          timeBudgetSeconds: 10 * blocks,
          expectedSeconds: 9 * (blocks + 8),
        }),
      ]),
      measurementsOn(withRing(paced(100, "pooled"), { maxDelayMilliseconds: 0 }), [
        stackMeasurement({
          id: "stacks-paced",
          tokens: [1000],
          blocks,
          allocationBlocks: 0,
          timeBudgetSeconds: 4 * blocks,
          expectedSeconds: 2.5 * (blocks + 5),
        }),
      ]),
    ];
  },
};
