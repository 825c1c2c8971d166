import { describe, expect, it } from "vitest";
import type { ScenarioGenerator } from "../src/plan/generator-plan.js";
import { parseRecord } from "../src/record/index.js";
import { teeMeasurement, type TeeOptions } from "../src/scenarios/tee.js";
import { renderSummary } from "../src/terminal/summary.js";
import { exampleRecord } from "./example-record.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measurementContext } from "./measurement-context.js";

/** Each reading of it stands for a microsecond of CPU time. */
class CountingClock extends ManualClock {
  readings = 0;
  override nowNanoseconds(): number {
    this.readings += 1;
    return super.nowNanoseconds();
  }
}

const tokens = 20;

function setUp(changes: Partial<TeeOptions> = {}) {
  const clock = new CountingClock();
  const generator = createFakeGenerator({ clock, tokenNanoseconds: () => 100_000 });
  const measurement = teeMeasurement({
    tokens,
    blocks: 6,
    timeBudgetSeconds: 60,
    expectedSeconds: 1,
    cpuMicroseconds: () => clock.readings,
    ...changes,
  });
  return { clock, generator, measurement, context: measurementContext({ clock }) };
}

describe("teeMeasurement", () => {
  it("charges two readers with what they take beyond one, block by block", async () => {
    const { generator, measurement, context } = setUp();
    const { tee: [measured] = [] } = await measurement.measure(generator, context);
    expect(measured).toMatchObject({ generator: "fake", treatment: "streamAsync", tokens });
    expect(measured?.warmUp).toEqual({ blocksDropped: 5, steady: true });
    expect(measured?.ways.map(({ way }) => way)).toEqual([
      "one reader",
      "teeTokens",
      "ReadableStream.tee",
    ]);
    const [one, ...split] = measured?.ways ?? [];
    expect(one?.addedCpuMicrosecondsPerToken).toBeNull();
    expect(one?.deliveryLatency).toMatchObject({ count: 6 * tokens });
    for (const way of split) {
      // A second reader reads the clock once more for each token.
      expect(way.addedCpuMicrosecondsPerToken?.hodgesLehmann.value).toBe(1);
      expect(way.cpuMicrosecondsPerToken).toBe((one?.cpuMicrosecondsPerToken ?? 0) + 1);
      expect(way.deliveryLatency).toMatchObject({ count: 2 * 6 * tokens });
    }
    for (const way of measured?.ways ?? []) {
      expect(way.cpuMicroseconds).toHaveLength(6);
      expect(way.durationNanoseconds).toEqual(Array(6).fill(tokens * 100_000));
      expect(way.throughputTokensPerSecond).toBe(10_000);
    }
  });

  it("compares nothing over fewer blocks than an interval needs", async () => {
    const { generator, measurement, context } = setUp({ blocks: 5 });
    const { tee: [measured] = [] } = await measurement.measure(generator, context);
    expect(measured?.ways.map((way) => way.addedCpuMicrosecondsPerToken)).toEqual([
      null,
      null,
      null,
    ]);
  });

  it("knows no latency of tokens that do not say when they were made", async () => {
    const { clock, measurement, context } = setUp();
    const silent = createFakeGenerator({ clock, tokenNanoseconds: () => 1, saysWhenMade: false });
    const { tee: [measured] = [] } = await measurement.measure(silent, context);
    expect(measured?.ways.map((way) => way.deliveryLatency)).toEqual([null, null, null]);
  });

  it("refuses a reader that gets too few tokens", async () => {
    const { generator, measurement, context } = setUp();
    const short: ScenarioGenerator = {
      ...generator,
      generateStreamAsync: (prompt, config) =>
        generator.generateStreamAsync(prompt, { ...config, maxTokens: tokens - 1 }),
    };
    await expect(measurement.measure(short, context)).rejects.toMatchObject({
      code: "OUTPUT_MISMATCH",
      message: expect.stringMatching(/: reader 0 got 19 of 20 tokens\. Each reader/) as string,
    });
  });

  it("returns nothing when it is aborted", async () => {
    const { generator, measurement, context } = setUp();
    const aborted = { ...context, signal: AbortSignal.abort() };
    expect(await measurement.measure(generator, aborted)).toEqual({});
  });

  it("is part of a record, and of its summary", async () => {
    const { generator, measurement, context } = setUp();
    const record = {
      ...(await exampleRecord()),
      ...(await measurement.measure(generator, context)),
    };
    expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
    expect(() => parseRecord({ ...record, tee: [{ ...record.tee?.[0], ways: [{}] }] })).toThrow(
      '"record.tee[0].ways[0].way" must be one of one reader, teeTokens, ReadableStream.tee',
    );
    const text = renderSummary(record, { unicode: false, color: false, recordPath: "" });
    expect(text).toMatch(/\| one reader +\| \d+\.\d\d +\| - +\| 10000 +\| 0\.0 us +\|/);
    expect(text).toMatch(/\| two, teeTokens\(\) +\| \d+\.\d\d +\| 1\.0 \[1\.0, 1\.0\] +\|/);
    const widths = text.split("\n").map((line) => (/^[|+-]/.test(line) ? line.length : 0));
    expect(Math.max(...widths)).toBeLessThanOrEqual(120);
  });
});
