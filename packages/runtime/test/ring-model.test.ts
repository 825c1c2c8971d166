import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  RingProducer,
  createRing,
  resolveRingOptions,
  type RingOptions,
} from "../src/ring/index.js";
import { newModel, ringCommands } from "./ring-commands.js";

const settings = fc.constantFrom(1, 2, 4, 8).chain((capacity) =>
  fc.record({
    capacity: fc.constant(capacity),
    publishBatch: fc.integer({ min: 1, max: capacity }),
    // "block" would block this thread, which is the producer's too.
    wait: fc.constantFrom<NonNullable<RingOptions["wait"]>>("waitAsync", "message"),
  }),
);

describe("a ring", () => {
  it("does what its model does, whatever is asked of its two ends in whatever order", async () => {
    const property = fc.asyncProperty(
      settings,
      fc.commands([...ringCommands], { size: "+1" }),
      async (options, sequence) => {
        const { consumer, memory } = createRing(resolveRingOptions(options));
        await fc.asyncModelRun(
          () => ({
            model: newModel(options),
            real: { consumer, producer: new RingProducer(memory), waiting: undefined },
          }),
          sequence,
        );
        consumer.stop("cancelled");
      },
    );
    await expect(fc.assert(property, { numRuns: 1000, seed: 4 })).resolves.toBeUndefined();
  });
});
