import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  objectSize,
  summarizeAllocations,
  type SamplingHeapNode,
  type SamplingHeapProfile,
} from "../src/profile/allocation-summary.js";

const interval = 4096;
const peakMemory = { residentBytes: 4, heapUsedBytes: 3, externalBytes: 2, arrayBufferBytes: 1 };

/** What V8 reports of `samples` sampled objects of a size: a rounded count of objects. */
function reportedBytes(size: number, samples: number): number {
  return size * Math.round(samples / -Math.expm1(-size / interval));
}

function node(
  id: number,
  functionName: string,
  url: string,
  selfSize: number,
  children: SamplingHeapNode[] = [],
): SamplingHeapNode {
  return {
    id,
    callFrame: { functionName, url, lineNumber: 0, columnNumber: 0, scriptId: "1" },
    selfSize,
    children,
  };
}

/** A profile in which each place allocates objects of one size. */
function profileOf(
  places: readonly { functionName: string; url: string; size: number; samples: number }[],
): SamplingHeapProfile {
  return {
    head: node(
      1,
      "(root)",
      "",
      0,
      places.map(({ functionName, url, size, samples }, index) =>
        node(index + 2, functionName, url, reportedBytes(size, samples)),
      ),
    ),
    samples: places.flatMap(({ size, samples }, index) =>
      Array.from({ length: samples }, () => ({ nodeId: index + 2, size: reportedBytes(size, 1) })),
    ),
  };
}

describe("objectSize", () => {
  it("finds the size that V8's scaling was made from", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 4000 }), (words) => {
        const size = words * 8;
        const scaled = size / -Math.expm1(-size / interval);
        expect(objectSize(scaled, interval)).toBeCloseTo(size, 3);
      }),
      { seed: 1 },
    );
  });

  it("takes no object for smaller than 16 bytes", () => {
    expect(objectSize(interval, interval)).toBe(16);
    expect(objectSize(8, interval)).toBe(16);
  });
});

describe("summarizeAllocations", () => {
  const ring = "file:///x/packages/runtime/dist/ring/consumer.js";
  const profile = profileOf([
    { functionName: "readSlot", url: ring, size: 88, samples: 200 },
    { functionName: "chat", url: "file:///x/chat.mjs", size: 24, samples: 50 },
    { functionName: "post", url: "node:inspector", size: 1000, samples: 50 },
  ]);
  const ringBytes = reportedBytes(88, 200);
  const userBytes = reportedBytes(24, 50);
  const findings = summarizeAllocations(
    [{ thread: "main", clockOffsetMilliseconds: 0, report: profile }],
    100,
    peakMemory,
  );

  it("gives bytes for each token, without the profiler's own", () => {
    expect(findings.threads).toHaveLength(1);
    expect(findings.threads[0]?.bytesPerToken).toBeCloseTo((ringBytes + userBytes) / 100, 9);
    expect(findings.peakMemory).toEqual(peakMemory);
  });

  it("estimates how many objects that were", () => {
    const objects = (ringBytes / 88 + userBytes / 24) / 100;
    const estimated = findings.threads[0]?.objectsPerToken as number;
    expect(Math.abs(estimated / objects - 1)).toBeLessThan(0.05);
  });

  it("names the places, the largest first", () => {
    expect(findings.largest).toEqual([
      {
        thread: "main",
        category: "ring",
        name: "readSlot (ring/consumer.js:1)",
        bytesPerToken: ringBytes / 100,
      },
      {
        thread: "main",
        category: "user",
        name: "chat (x/chat.mjs:1)",
        bytesPerToken: userBytes / 100,
      },
    ]);
  });

  it("sums the profiles of a thread, and native code with its caller's category", () => {
    const native: SamplingHeapProfile = {
      head: node(1, "(root)", "", 0, [node(2, "readSlot", ring, 0, [node(3, "slice", "", 4096)])]),
      samples: [{ nodeId: 3, size: 4096 }],
    };
    const report = { thread: "main", clockOffsetMilliseconds: 0, report: native };
    const { threads, largest } = summarizeAllocations([report, report], 2, peakMemory);
    expect(threads[0]?.bytesPerToken).toBe(4096);
    expect(largest).toEqual([
      {
        thread: "main",
        category: "ring",
        name: "native slice in readSlot (ring/consumer.js:1)",
        bytesPerToken: 4096,
      },
    ]);
  });
});
