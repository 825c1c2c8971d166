import { describe, expect, it } from "vitest";
import { checkDrill } from "../src/endurance/drill-checks.js";
import { judge } from "../src/endurance/drill-judge.js";
import { planDrill, readers, type PlannedStream } from "../src/endurance/drill-plan.js";
import { holds, renderDrill } from "../src/endurance/drill-summary.js";
import { runDrill } from "../src/endurance/drill.js";
import type { Holdings } from "../src/endurance/process-watch.js";

describe("a drill", { timeout: 120_000 }, () => {
  it("of fifty faults among a hundred streams hurts nobody else and leaves nothing", async () => {
    const report = await runDrill({
      seed: 1851,
      streams: 100,
      faults: 42,
      embeddedStreams: 10,
      embeddedFaults: 8,
    });
    expect(report.checks.flatMap(({ violations }) => violations)).toEqual([]);
    expect(holds(report)).toBe(true);
    const streams = report.parts.flatMap((part) => part.streams);
    expect(streams).toHaveLength(110);
    expect(streams.filter(({ stream }) => stream.fault !== undefined)).toHaveLength(50);
    const text = renderDrill(report, { unicode: false });
    expect(text).toContain("50 faults among 110 streams, seed 1851");
    expect(text).toMatch(/\| killed +\| 1 +\| WORKER_FAILED 1 +\| 0 +\|/);
    expect(text).not.toContain("| NO ");
  });
});

const options = {
  streams: 60,
  faults: 30,
  kinds: ["exit", "left", "dropped unread"],
  prompts: (draw) => [draw.integer(0, 999)],
  mostTokens: 50,
  longestWaitMilliseconds: 100,
  readers,
  endless: 1000,
  mostUnread: 8,
} satisfies Omit<Parameters<typeof planDrill>[1], "seed">;

describe("the plan of a drill", () => {
  it("is the same for the same seed, with every kind of fault as often", () => {
    const plan = planDrill("some", { ...options, seed: 3 });
    expect(planDrill("some", { ...options, seed: 3 })).toEqual(plan);
    expect(planDrill("some", { ...options, seed: 4 })).not.toEqual(plan);
    for (const kind of options.kinds) {
      expect(plan.filter(({ fault }) => fault?.kind === kind)).toHaveLength(10);
    }
    expect(new Set(plan.map(({ name }) => name)).size).toBe(60);
    for (const { prompt, fault } of plan) {
      if (fault?.kind === "exit") expect(prompt).toBe(`exit at ${fault.at}`);
      else expect(prompt).toHaveLength(1);
    }
  });
});

describe("the judge of a drill", () => {
  const fine: PlannedStream = {
    name: "one",
    reader: "loop",
    prompt: [4],
    maxTokens: 3,
    slow: false,
    fault: undefined,
  };
  const lost: PlannedStream = { ...fine, maxTokens: 1000, fault: { kind: "exit", at: 2 } };
  const finished = (ids: number[]) => ({
    seen: ids,
    end: { kind: "finished", finishReason: "length", ids } as const,
  });
  const failed = (partial: number[] | undefined) => ({
    seen: [5, 6],
    end: { kind: "failed", errorCode: "WORKER_FAILED", partial } as const,
  });
  const report = (how: object) =>
    ({ finishReason: undefined, errorCode: undefined, ...how }) as Parameters<typeof judge>[2][0];
  const length = report({ finishReason: "length" });
  const gone = report({ errorCode: "WORKER_FAILED" });
  const expectation = { idAt: (_: PlannedStream, index: number) => 5 + index, mostUnpublished: 0 };

  it("has nothing against what is right", () => {
    expect(judge(fine, finished([5, 6, 7]), [length], expectation)).toBeUndefined();
    expect(judge(lost, failed([5, 6]), [gone], expectation)).toBeUndefined();
  });

  it.each([
    ["a wrong id", fine, finished([5, 6, 8]), [length], /token 2 has the id 8 instead of 7/],
    ["a lost token", fine, finished([5, 6]), [length], /saw 2 tokens instead of 3/],
    ["no report", fine, finished([5, 6, 7]), [], /never said/],
    ["two reports", fine, finished([5, 6, 7]), [length, length], /2 times/],
    ["a hurt bystander", fine, { ...failed([5, 6]), seen: [5, 6, 7] }, [gone], /result has 2/],
    ["another reason", lost, finished([5, 6]), [gone], /ended for its consumer as length/],
    ["no partial result", lost, failed(undefined), [gone], /does not say what was delivered/],
    ["another report", lost, failed([5, 6]), [length], /runtime says that it ended as length/],
  ])("objects to %s", (_, stream, observation, reports, message) => {
    expect(judge(stream, observation, reports, expectation)).toMatch(message);
  });

  it("objects to what is left behind", () => {
    const before: Holdings = {
      threads: 0,
      handles: { PipeWrap: 2 },
      heapBytes: 5e6,
      externalBytes: 1e6,
      arrayBufferBytes: 0,
      residentBytes: 1e8,
    };
    const after: Holdings = {
      ...before,
      threads: 1,
      handles: { PipeWrap: 2, MessagePort: 1 },
      heapBytes: 9e6,
      arrayBufferBytes: 16_576,
    };
    const checks = checkDrill([], { before, after, complaints: ["warning: many listeners"] });
    expect(checks.flatMap(({ violations }) => violations)).toEqual([
      "warning: many listeners",
      "1 threads live",
      "MessagePort: 0 before, 1 after",
      "more than 2048 bytes are left",
      "more than 2048 kB are left",
    ]);
    expect(
      checkDrill([], { before, after: before, complaints: [] }).flatMap(
        (check) => check.violations,
      ),
    ).toEqual([]);
  });
});
