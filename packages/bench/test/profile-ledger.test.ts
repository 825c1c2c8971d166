import type { StreamToken, TokenLedger } from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import { LedgerRecorder, summarizeLedger } from "../src/profile/ledger.js";
import { plainToken } from "../../core/test/plain-token.js";
import { ManualClock } from "./fake-generator.js";

function token(index: number, producedAtMilliseconds: number, ledger?: TokenLedger): StreamToken {
  return plainToken(index, { producedAtMilliseconds, ...(ledger && { ledger }) });
}

/** A clock that moves by 50 ns with each reading, as far as tests can tell. */
class TickingClock extends ManualClock {
  override nowNanoseconds(): number {
    this.advance(50);
    return super.nowNanoseconds();
  }
}

describe("LedgerRecorder", () => {
  it("takes the stamps of a token, and when its callback was done", () => {
    const clock = new TickingClock();
    const start = clock.nowNanoseconds();
    const recorder = new LedgerRecorder(clock, 4);
    const at = (nanoseconds: number): number => (start + nanoseconds) / 1e6;
    clock.advance(9_950);
    recorder.record(
      token(0, at(2_000), {
        publishedAtMilliseconds: at(3_000),
        wokenAtMilliseconds: at(7_000),
      }),
    );
    recorder.since(start);
    const times = recorder.takeLedger();
    expect(times.producedNanoseconds).toEqual(Float64Array.of(2_000));
    expect(times.publishedNanoseconds[0]).toBeCloseTo(3_000, 6);
    expect(times.wokenNanoseconds[0]).toBeCloseTo(7_000, 6);
    expect(times.deliveredNanoseconds).toEqual(Float64Array.of(10_000));
    expect(times.callbackDoneNanoseconds).toEqual(Float64Array.of(10_050));
  });

  it("refuses tokens without a ledger", () => {
    const recorder = new LedgerRecorder(new ManualClock(), 4);
    recorder.record(token(0, 1));
    recorder.since(0);
    expect(() => recorder.takeLedger()).toThrow(/carry no ledger.*ring that keeps one/);
  });
});

describe("summarizeLedger", () => {
  const times = {
    producedNanoseconds: Float64Array.of(10_000, 20_000),
    publishedNanoseconds: Float64Array.of(10_500, 20_700),
    wokenNanoseconds: Float64Array.of(12_500, 20_700),
    deliveredNanoseconds: Float64Array.of(12_600, 20_900),
    callbackDoneNanoseconds: Float64Array.of(12_650, 21_000),
  };
  const findings = summarizeLedger([
    {
      times,
      endToEndNanoseconds: 25_000,
      timings: { queueMilliseconds: 0.003, prefillMilliseconds: 0.005, decodeMilliseconds: 0.01 },
    },
  ]);

  it("gives the way from each station to the next", () => {
    expect(
      findings.stages.map(({ stage, latency }) => [
        stage,
        latency.count,
        latency.minimumNanoseconds,
        latency.maximumNanoseconds,
      ]),
    ).toEqual([
      ["published", 2, 500, 700],
      ["woken", 2, 0, 2_000],
      ["delivered", 2, 100, 200],
      ["callbackDone", 2, 50, 100],
    ]);
  });

  it("leaves what nobody accounts for", () => {
    // 25,000 − (3,000 + 5,000 + 10,000) − (21,000 − 20,000)
    expect(findings.residual).toMatchObject({ count: 1, maximumNanoseconds: 6_000 });
  });
});
