import { describe, expect, it } from "vitest";
import {
  checkObjective,
  isMet,
  isWithin,
  parseLimits,
  requiredGood,
  showLimits,
} from "../src/load/objective.js";
import { timesOf, type RequestSample } from "../src/load/request-sample.js";

const completed = (
  deliveredNanoseconds: readonly number[],
  {
    outputTokens = deliveredNanoseconds.length,
    endNanoseconds = deliveredNanoseconds.at(-1) ?? 0,
  } = {},
): RequestSample => ({
  index: 0,
  stage: 0,
  dueNanoseconds: 0,
  latenessNanoseconds: 0,
  outcome: "completed",
  error: null,
  outputTokens,
  promptTokens: null,
  endNanoseconds,
  deliveredNanoseconds,
});

describe("limits", () => {
  it("are read in any order, with units", () => {
    expect(parseLimits("ttft=500ms, itl=50ms,e2e=1.5s,tpot=250us")).toEqual({
      timeToFirstToken: 500e6,
      interTokenLatency: 50e6,
      endToEnd: 1.5e9,
      timePerOutputToken: 250e3,
    });
    expect(showLimits(parseLimits("e2e=2min,ttft=20µs"))).toBe("ttft 20 µs, e2e 120 s");
  });

  it.each([
    ["", /"" is no limit; limits are ttft=500ms/],
    ["ttft", /"ttft" is no limit/],
    ["ttft=500", /"ttft=500" is no limit/],
    ["ttft=0ms", /"ttft=0ms" is no limit/],
    ["ttft=-5ms", /is no limit/],
    ["p99=500ms", /"p99=500ms" is no limit/],
    ["constructor=5ms", /is no limit/],
    ["ttft=5ms,", /"" is no limit/],
    ["ttft=5h", /is no limit/],
    ["ttft=5ms,ttft=6ms", /have ttft twice/],
  ])('are not "%s"', (text, message) => {
    expect(() => parseLimits(text)).toThrow(message);
    expect(() => parseLimits(text)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  it("judge each latency of a request, and every gap", () => {
    const times = timesOf(completed([100, 110, 190], { endNanoseconds: 200 }));
    expect(times).toMatchObject({
      timeToFirstTokenNanoseconds: 100,
      gapsNanoseconds: [10, 80],
      longestGapNanoseconds: 80,
      timePerOutputTokenNanoseconds: 45,
      endToEndNanoseconds: 200,
    });
    expect(
      isWithin(
        { timeToFirstToken: 100, interTokenLatency: 80, timePerOutputToken: 45, endToEnd: 200 },
        times,
      ),
    ).toBe(true);
    expect(isWithin({ timeToFirstToken: 99 }, times)).toBe(false);
    expect(isWithin({ interTokenLatency: 79 }, times)).toBe(false);
    expect(isWithin({ timePerOutputToken: 44 }, times)).toBe(false);
    expect(isWithin({ endToEnd: 199 }, times)).toBe(false);
    expect(isWithin({}, times)).toBe(true);
  });

  it("pass what a request has no value of: one token has no gaps", () => {
    const limits = { interTokenLatency: 1, timePerOutputToken: 1 };
    expect(isWithin(limits, timesOf(completed([100])))).toBe(true);
    // Two tokens in one chunk have no time between them.
    expect(isWithin(limits, timesOf(completed([100], { outputTokens: 2 })))).toBe(true);
    expect(timesOf(completed([])).timeToFirstTokenNanoseconds).toBeNull();
  });

  it("are met by a share of what was offered", () => {
    const objective = { limits: { endToEnd: 1 }, share: 0.99 };
    expect([98, 99, 100].map((good) => isMet(objective, good, 100))).toEqual([false, true, true]);
    expect(requiredGood(0.9, 10)).toBe(9);
    expect(requiredGood(1, 7)).toBe(7);
  });

  it.each([
    [{ limits: {}, share: 0.9 }, "no limit"],
    [{ limits: { endToEnd: 0 }, share: 0.9 }, "no limit"],
    [{ limits: { endToEnd: 1 }, share: 0 }, "share"],
    [{ limits: { endToEnd: 1 }, share: 1.1 }, "share"],
  ])("make no objective: %j", (objective, problem) => {
    expect(() => checkObjective(objective)).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: expect.stringContaining(problem),
      }),
    );
  });
});
