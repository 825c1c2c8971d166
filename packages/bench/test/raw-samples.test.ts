import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RawSamplesWriter, readRawSamples, type RawBlock } from "../src/measure/raw-samples.js";
import { treatments } from "../src/record/index.js";
import { VarintReader, pushVarint } from "../src/measure/varint.js";

const identity = { runId: "2026-11-23T07-36-14.000Z", cell: "fake-10" };

const time = fc.integer({ min: 0, max: 10 ** 12 });
const tokenTime = fc.record({
  delivered: time,
  produced: fc.oneof(time, fc.constant(Number.NaN)),
});
const run = fc
  .record({
    treatment: fc.constantFrom(...treatments),
    endToEndNanoseconds: time,
    cpuMicroseconds: time,
    tenThousandths: fc.integer({ min: 0, max: 10_000 }),
    memory: fc.record({
      residentBytes: fc.maxSafeNat().map((bytes) => Math.floor(bytes / 2)),
      heapUsedBytes: time,
      externalBytes: time,
      arrayBufferBytes: time,
    }),
    tokens: fc.array(tokenTime, { maxLength: 50 }),
    timesCallbacks: fc.boolean(),
    made: fc.option(fc.integer({ min: 1, max: 1e6 })),
  })
  .map(({ tokens, tenThousandths, timesCallbacks, made, ...rest }) => ({
    ...rest,
    ...(made !== null && { tokens: made }),
    eventLoopUtilization: Number((tenThousandths / 1e4).toFixed(4)),
    deliveredNanoseconds: Float64Array.from(tokens, ({ delivered }) => delivered),
    producedNanoseconds: Float64Array.from(tokens, ({ produced }) => produced),
    callbackNanoseconds: Float64Array.from(timesCallbacks ? tokens : [], ({ delivered }) =>
      Math.round(delivered / 7),
    ),
  }));
const process = fc.nat({ max: 20 });
const blocks = fc.array(fc.record({ process, runs: fc.array(run, { maxLength: 4 }) }), {
  maxLength: 4,
});

async function write(content: readonly RawBlock[]): Promise<Uint8Array> {
  const writer = new RawSamplesWriter(identity);
  for (const block of content) writer.add(block);
  expect(writer.blocks).toBe(content.length);
  return await writer.finish();
}

const [example = []] = fc.sample(
  fc.array(fc.record({ process, runs: fc.array(run, { minLength: 4 }) }), { minLength: 3 }),
  {
    numRuns: 1,
    seed: 7,
  },
);

describe("raw samples", () => {
  it("come back as they were", async () => {
    await fc.assert(
      fc.asyncProperty(blocks, async (content) => {
        expect(await readRawSamples(await write(content))).toEqual({
          ...identity,
          blocks: content,
        });
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("are the same bytes for the same samples", async () => {
    expect(await write(example)).toEqual(await write(example));
  });

  it("say in their first line what they are", async () => {
    const [line] = gunzipSync(await write(example))
      .toString("latin1")
      .split("\n");
    expect(JSON.parse(line ?? "")).toEqual({
      format: "streamgauge/raw-samples",
      version: 3,
      ...identity,
      blocks: example.length,
    });
  });

  it("take no more than five bytes for a token of ten microseconds, before compression", async () => {
    const delivered = Float64Array.from({ length: 1000 }, (_, index) => 1e6 + index * 10_000);
    const [sample] = fc.sample(run, { numRuns: 1, seed: 1 });
    const times = {
      deliveredNanoseconds: delivered,
      producedNanoseconds: delivered.map((now, index) => now - 3000 - index),
      callbackNanoseconds: new Float64Array(0),
    };
    const content = gunzipSync(await write([{ process: 0, runs: [{ ...sample!, ...times }] }]));
    expect(content.length).toBeLessThan(5 * 1000 + 300);
  });

  it("are refused when they are cut off, at every length", async () => {
    const bytes = await write(example);
    for (let length = 0; length < bytes.length; length += 7) {
      await expect(readRawSamples(bytes.subarray(0, length))).rejects.toMatchObject({
        code: "INVALID_RAW_SAMPLES",
      });
    }
    const content = gunzipSync(bytes);
    for (let length = 0; length < content.length; length += 101) {
      await expect(readRawSamples(gzipSync(content.subarray(0, length)))).rejects.toMatchObject({
        code: "INVALID_RAW_SAMPLES",
      });
    }
  });

  it("are refused when a byte of the file is another", async () => {
    const bytes = Uint8Array.from(await write(example));
    // In gzip's own header some bytes mean nothing; the hash in the record covers them.
    const position = bytes.length >> 1;
    bytes[position] = (bytes[position] ?? 0) ^ 1;
    await expect(readRawSamples(bytes)).rejects.toMatchObject({ code: "INVALID_RAW_SAMPLES" });
  });

  it.each([
    ["", /do not begin with a line of JSON/],
    ["null\n", /their format is not/],
    ['{"format":"other"}\n', /their format is not "streamgauge\/raw-samples"/],
    ['{"format":"streamgauge/raw-samples","version":4}\n', /version 4, and this reads 1, 2, 3/],
    [
      '{"format":"streamgauge/raw-samples","version":{"toString":null}}\n',
      /version {"toString":null}/,
    ],
    ['{"format":"streamgauge/raw-samples","version":1}\n', /names no run, cell or number/],
    [header(-1, ""), /names no run, cell or number of blocks/],
    [header(0, "\u0000"), /bytes after the last of 0 blocks/],
    [header(1, ""), /bytes end in the middle of a number/],
    [header(1, "\u0002\u0008"), /run of an unknown treatment/],
    [header(1, "\u00FF".repeat(9)), /a number has too many bytes/i],
  ])("are refused when they are %j", async (content, message) => {
    await expect(readRawSamples(gzipSync(Buffer.from(content, "latin1")))).rejects.toMatchObject({
      code: "INVALID_RAW_SAMPLES",
      message: expect.stringMatching(message) as string,
    });
  });
});

function header(count: number, rest: string): string {
  const line = { format: "streamgauge/raw-samples", version: 1, ...identity, blocks: count };
  return `${JSON.stringify(line)}\n${rest}`;
}

describe("varints", () => {
  it("come back as they were, and small ones are short", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 })), (values) => {
        const bytes: number[] = [];
        for (const value of values) pushVarint(bytes, value);
        const reader = new VarintReader(Uint8Array.from(bytes));
        expect(values.map(() => reader.next())).toEqual(values);
        expect(reader.atEnd).toBe(true);
      }),
      { seed: 1 },
    );
    const bytes: number[] = [];
    for (const value of [0, -1, 1, 63, -64]) pushVarint(bytes, value);
    expect(bytes).toEqual([0, 1, 2, 126, 127]);
  });

  it.each([0.5, Number.NaN, Infinity, 2 ** 52])("refuse %d", (value) => {
    expect(() => pushVarint([], value)).toThrow(RangeError);
  });
});
