import { describe, expect, it } from "vitest";
import { measureClock, systemClock } from "../src/plan/clock.js";
import { Distributions, TokenRecorder, measureRecording } from "../src/measure/recorder.js";
import { plainToken } from "../../core/test/plain-token.js";
import { ManualClock } from "./fake-generator.js";

function tokenMadeAt(
  producedAtMilliseconds: number | undefined,
): Parameters<TokenRecorder["record"]>[0] {
  return plainToken(0, { producedAtMilliseconds });
}

describe("TokenRecorder", () => {
  it("keeps when tokens were made and delivered, until it is reset", () => {
    const clock = new ManualClock();
    const recorder = new TokenRecorder(clock, 4);
    const start = clock.nowNanoseconds();
    for (const step of [500, 700]) {
      clock.advance(step);
      recorder.record(tokenMadeAt((clock.nowNanoseconds() - 200) / 1e6));
    }
    const times = recorder.since(start);
    expect([...times.deliveredNanoseconds]).toEqual([500, 1200]);
    expect([...times.producedNanoseconds]).toEqual([300, 1000]);
    const distributions = new Distributions();
    distributions.add("stream", times);
    expect(
      distributions
        .summarize()
        .map(({ metric, count, p50Nanoseconds }) => [metric, count, p50Nanoseconds]),
    ).toEqual([
      ["timeToFirstToken", 1, 500],
      ["deliveryLatency", 2, 200],
      ["interTokenLatency", 1, 700],
    ]);
    recorder.reset();
    expect(recorder.count).toBe(0);
    expect(times.deliveredNanoseconds).toHaveLength(2);
  });

  it("gives whole nanoseconds, whatever the clock reads", () => {
    const clock = new ManualClock();
    const recorder = new TokenRecorder(clock, 1);
    const start = clock.nowNanoseconds();
    clock.advance(99.6);
    recorder.record(tokenMadeAt((start + 33.4) / 1e6));
    expect([...recorder.since(start).deliveredNanoseconds]).toEqual([100]);
    expect([...recorder.since(start).producedNanoseconds]).toEqual([33]);
  });

  it.each([
    ["does not know", undefined],
    ["goes by the time of day", Date.UTC(2026, 10, 23)],
  ])("has no delivery latency where the generator %s", (_case, producedAtMilliseconds) => {
    const recorder = new TokenRecorder(new ManualClock(), 1);
    recorder.record(tokenMadeAt(producedAtMilliseconds));
    const distributions = new Distributions();
    distributions.add("stream", recorder.since(0));
    expect(distributions.summarize().map(({ metric }) => metric)).toEqual(["timeToFirstToken"]);
  });
});

describe("the instrument", () => {
  it("is measured in nanoseconds", () => {
    const { clockReadNanoseconds, clockResolutionNanoseconds } = measureClock(systemClock);
    expect(clockReadNanoseconds).toBeGreaterThan(0);
    expect(clockResolutionNanoseconds).toBeGreaterThan(0);
    expect(measureRecording(systemClock)).toBeGreaterThan(0);
  });
});
