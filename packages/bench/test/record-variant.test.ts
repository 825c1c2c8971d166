import { describe, expect, it } from "vitest";
import { describeVariant, findAllocations } from "../src/record/index.js";
import { exampleMode, withLoadsAndProfiles } from "./example-profiles.js";
import { exampleRecord } from "./example-record.js";

describe("describeVariant", () => {
  it.each([
    [{}, ""],
    [{ workload: "json" }, "json callback"],
    [{ ringCapacity: 16, publishBatch: 8 }, "ring 16, batch 8"],
    [{ ringWait: "block", spinMicroseconds: 50 }, "block, spin 50 µs"],
    [{ maxDelayMilliseconds: 0 }, "delay 0 ms"],
    [{ ringWait: "message", maxDelayMilliseconds: 8 }, "message, delay 8 ms"],
    [{ sampling: "temperature 0.8, top-k 50" }, "temperature 0.8, top-k 50"],
    [{ concurrency: 4 }, "× 4"],
    [{ injectedFraction: 0 }, "slowed by 0 %"],
    [{ injectedFraction: 0.07 }, "slowed by 7 %"],
    [{ sampling: "greedy", workload: "empty", concurrency: 2 }, "greedy, empty callback, × 2"],
  ])("calls %o %j", (cell, expected) => {
    expect(describeVariant(cell)).toBe(expected);
  });
});

describe("findAllocations", () => {
  it("finds those of the same generator and treatment, best with as many tokens", async () => {
    const record = withLoadsAndProfiles(await exampleRecord());
    const [own] = (record.profiles ?? []).filter(({ findings }) => findings.kind === "allocations");
    const longer = { ...own!, tokens: 1000 };
    const both = { profiles: [longer, own!] };
    expect(findAllocations(both, exampleMode, "stream")).toBe(own);
    expect(findAllocations(both, { ...exampleMode, tokens: 5 }, "stream")).toBe(longer);
    expect(findAllocations(both, { ...exampleMode, ringCapacity: 16 }, "stream")).toBe(own);
    expect(findAllocations(both, exampleMode, "streamAsync")).toBeUndefined();
    expect(findAllocations(both, { ...exampleMode, generator: "b" }, "stream")).toBeUndefined();
    expect(findAllocations(both, { ...exampleMode, workload: "json" }, "stream")).toBeUndefined();
  });
});
