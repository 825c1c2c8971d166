import { describe, expect, it } from "vitest";
import { coursesOf, runSoak, type SoakSample } from "../src/endurance/soak.js";
import { isFlat, renderSoak, sparkline } from "../src/endurance/soak-summary.js";

/** A hundred samples of memory that grows by so many bytes per stream, with a saw's teeth. */
function samplesOf(bytesPerStream: number): SoakSample[] {
  return Array.from({ length: 100 }, (_, index) => {
    const streams = (index + 1) * 1000;
    const bytes = 1e7 + bytesPerStream * streams + (index % 3) * 2000;
    return { streams, resident: bytes, heap: bytes, external: 1e6, arrayBuffers: 0 };
  });
}

describe("a soak", { timeout: 60_000 }, () => {
  it("runs its streams with the right ids, and samples memory as it goes", async () => {
    const seen: number[] = [];
    const report = await runSoak({
      streams: 300,
      samples: 30,
      seed: 3,
      onProgress: ({ streams }) => void seen.push(streams),
    });
    expect(report).toMatchObject({ streams: 300, interrupted: false, seed: 3 });
    expect(report.samples.map(({ streams }) => streams)).toEqual(seen);
    expect(seen).toHaveLength(30);
    // From 1 to 16 tokens each, and a little ahead where a consumer left.
    expect(report.tokens).toBeGreaterThan(300 * 6);
    expect(report.courses.map(({ slope }) => slope === undefined)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("stops when it is told to, with what it has", async () => {
    const controller = new AbortController();
    const report = await runSoak({
      streams: 4000,
      seed: 3,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    expect(report.interrupted).toBe(true);
    expect(report.streams).toBe(40);
    expect(report.courses.map(({ verdict }) => verdict)).toEqual([
      "too few samples",
      "too few samples",
      "too few samples",
      "too few samples",
    ]);
    expect(renderSoak(report, { unicode: false })).toContain("too few samples");
  });
});

describe("the course of memory", () => {
  const reportOf = (bytesPerStream: number) => ({
    seed: 1,
    streams: 100_000,
    tokens: 1,
    seconds: 1,
    interrupted: false,
    samples: samplesOf(bytesPerStream),
    courses: coursesOf(samplesOf(bytesPerStream)),
  });

  it("is flat without a leak", () => {
    expect(isFlat(reportOf(0))).toBe(true);
    expect(renderSoak(reportOf(0), { unicode: true })).toMatch(/JavaScript heap.*│ flat/);
  });

  it("is not when each stream leaves a few bytes, which are found in the slope", () => {
    const { courses } = reportOf(16);
    const [resident, heap] = courses;
    expect(heap?.verdict).toBe("not shown to be flat");
    expect(heap?.slope?.value).toBeCloseTo(16_000, -2);
    // Sixteen bytes are within what resident memory may move.
    expect(resident?.verdict).toBe("flat");
    expect(isFlat(reportOf(16))).toBe(false);
  });

  it("is drawn from its smallest to its largest value", () => {
    expect(sparkline([1, 2, 3, 4], "abcd")).toBe("abcd");
    expect(sparkline([5, 5, 5], "abcd")).toBe("aaa");
    expect(
      sparkline(
        Array.from({ length: 400 }, (_, index) => index),
        "ab",
      ),
    ).toBe("a".repeat(20) + "b".repeat(20));
  });
});
