import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import {
  RingProducer,
  createRing,
  resolveRingOptions,
  type RingOptions,
} from "../src/ring/index.js";
import type * as ticker from "../src/ring/ticker.js";
import { dozers, newModel, ringCommands } from "./ring-commands.js";

// Its tick is one of the commands.
vi.mock("../src/ring/ticker.js", async (importOriginal) => ({
  ...(await importOriginal<typeof ticker>()),
  tickerOf: () => ({
    join: (dozer: ticker.Dozer) => void dozers.add(dozer),
    leave: (dozer: ticker.Dozer) => void dozers.delete(dozer),
  }),
}));

const settings = fc.constantFrom(1, 2, 4, 8).chain((capacity) =>
  fc.record({
    capacity: fc.constant(capacity),
    publishBatch: fc.integer({ min: 1, max: capacity }),
    // "block" would block this thread, which is the producer's too.
    maxDelayMilliseconds: fc.constantFrom(0, 4),
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
