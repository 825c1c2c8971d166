import { describe, expect, it } from "vitest";
import { parseRecord } from "../src/record/index.js";
import type { OpenChatServer } from "../src/scenarios/stacks/chat-server.js";
import { loadInstalled, type LoadLibrary } from "../src/scenarios/stacks/libraries.js";
import { stackMeasurement, type StackOptions } from "../src/scenarios/stacks/stack-measurement.js";
import { allStacks } from "../src/scenarios/stacks/stack-list.js";
import type { Stack } from "../src/scenarios/stacks/stack.js";
import { renderSummary } from "../src/terminal/summary.js";
import { exampleRecord } from "./example-record.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measurementContext } from "./measurement-context.js";

const textAt = (index: number) => ` ${index}`;

function setUp(changes: Partial<StackOptions> = {}, at: (index: number) => string = textAt) {
  const clock = new ManualClock();
  const generator = createFakeGenerator({ clock, tokenNanoseconds: () => 100_000, textAt: at });
  const measurement = stackMeasurement({
    id: "stacks",
    tokens: [3, 9, 27],
    blocks: 6,
    allocationBlocks: 0,
    timeBudgetSeconds: 60,
    expectedSeconds: 1,
    // No process and no profiler: what they say differs from run to run.
    sampleBytes: () => Promise.resolve(() => Promise.resolve(1000)),
    ...changes,
  });
  return { measurement, generator, context: measurementContext({ clock }) };
}

const here = allStacks.filter(({ socket }) => !socket);
const stackNamed = (name: string): Stack => allStacks.find((stack) => stack.name === name) as Stack;

describe("stackMeasurement", () => {
  it("gets all text once and in order through every stack, sockets too", async () => {
    const { measurement, generator, context } = setUp({ tokens: [40], blocks: 1 });
    const { stacks: [measured] = [] } = await measurement.measure(generator, context);
    expect(measured?.leftOut.map(({ stack }) => stack)).toEqual(["node-llama-cpp"]);
    expect(measured?.stacks.map(({ stack }) => stack)).toEqual(allStacks.map(({ name }) => name));
    for (const { stack, library, sizes } of measured?.stacks ?? []) {
      const [size] = sizes;
      expect([stack, size?.cpuMicroseconds.length]).toEqual([stack, 1]);
      if (library !== null) expect(library.version).toMatch(/^\d+\.\d+\.\d+/);
    }
  });

  it("charges a stack with what it takes beyond the other, block by block", async () => {
    let spent = 0;
    const costing = (name: string, against: string | null, cost: (tokens: number) => number) =>
      ({
        ...stackNamed("async iterator"),
        name,
        against,
        open: () =>
          Promise.resolve(async ({ tokens, stream, textOf }, take) => {
            for await (const token of stream()) take(textOf(token));
            spent += cost(tokens);
          }),
      }) satisfies Stack;
    const { measurement, generator, context } = setUp({
      cpuMicroseconds: () => spent,
      allocationBlocks: 6,
      stacks: [
        costing("plain", null, (tokens) => 10 + 2 * tokens),
        costing("again", "plain", (tokens) => 10 + tokens * tokens),
      ],
    });
    const { stacks: [measured] = [] } = await measurement.measure(generator, context);
    expect(measured?.warmUp).toEqual({ blocksDropped: 5, steady: true });
    const [plain, again] = measured?.stacks ?? [];
    expect(plain?.sizes.map((size) => size.cpuMicroseconds)).toEqual([
      Array(6).fill(16),
      Array(6).fill(28),
      Array(6).fill(64),
    ]);
    expect(plain?.cpuGrowth?.order).toBe("linear");
    expect(plain?.sizes[0]?.addedCpuMicrosecondsPerToken).toBeNull();
    expect(again?.cpuGrowth).toMatchObject({ tokens: [3, 9, 27], order: "quadratic" });
    expect(again?.sizes[2]?.addedCpuMicrosecondsPerToken?.hodgesLehmann.value).toBe(25);
    for (const size of again?.sizes ?? []) {
      expect(size.durationNanosecondsPerToken).toBe(100_000);
      expect(size.deliveryLatency).toMatchObject({ count: 6 * size.tokens });
      expect(size.allocatedBytes).toEqual(Array(6).fill(1000));
      expect(size.tokensPerPiece).toBe(1);
    }
  });

  it("takes turns in orders that the seed draws and blocks balance", async () => {
    const orderOf = async (seed: number): Promise<string> => {
      let order = "";
      const stacks = ["a", "b", "c", "d"].map((name) => {
        const open: Stack["open"] = () =>
          Promise.resolve(async ({ stream, textOf }, take) => {
            order += name;
            for await (const token of stream()) take(textOf(token));
          });
        return { ...stackNamed("async iterator"), name, open };
      });
      const { measurement, generator, context } = setUp({ stacks, tokens: [2], blocks: 4 });
      await measurement.measure(generator, { ...context, seed });
      // Behind the trials and the warm-up.
      return order.slice(-16);
    };
    const order = await orderOf(1);
    expect(await orderOf(1)).toBe(order);
    expect(await orderOf(2)).not.toBe(order);
    const blocks = order.match(/.{4}/g) ?? [];
    for (const position of [0, 1, 2, 3]) {
      expect(new Set(blocks.map((block) => block[position]))).toHaveProperty("size", 4);
    }
  });

  it("leaves out what is not installed or fails, by name and reason", async () => {
    const load: LoadLibrary = async (name) => {
      if (name !== "openai") return await loadInstalled(name);
      throw Object.assign(new Error("Cannot find package 'openai' imported from the bench"), {
        code: "ERR_MODULE_NOT_FOUND",
      });
    };
    const openServer: OpenChatServer = () => Promise.reject(new Error("No port is free."));
    const { measurement, generator, context } = setUp({ load, openServer, blocks: 1 });
    const { stacks: [measured] = [] } = await measurement.measure(generator, context);
    const missing = "openai, or a package that it needs, is not installed";
    expect(measured?.leftOut).toEqual([
      { stack: "SSE socket, node:http", reason: "No port is free" },
      { stack: "SSE socket, fetch", reason: "No port is free" },
      { stack: "openai for await", reason: missing },
      { stack: "openai .stream()", reason: missing },
      { stack: "openai for await, socket", reason: missing },
      { stack: "openai .stream(), socket", reason: missing },
      expect.objectContaining({ stack: "node-llama-cpp" }),
    ]);
  });

  it.each([
    ["loses", (text: string, index: number) => (index === 2 ? "" : text), /delivered \d+ of \d+/],
    ["changes", (text: string) => text.replace("2", "3"), /the first wrong piece is " 3"/],
  ])("leaves out a stack that %s text", async (_, change, reason) => {
    const faulty: Stack = {
      ...stackNamed("async iterator"),
      name: "faulty",
      open: () =>
        Promise.resolve(async ({ stream, textOf }, take) => {
          for await (const token of stream()) take(change(textOf(token), token.index));
        }),
    };
    const stacks = [stackNamed("async iterator"), faulty];
    const { measurement, generator, context } = setUp({ stacks });
    const { stacks: [measured] = [] } = await measurement.measure(generator, context);
    expect(measured?.stacks.map(({ stack }) => stack)).toEqual(["async iterator"]);
    expect(measured?.leftOut[0]).toMatchObject({
      stack: "faulty",
      reason: expect.stringMatching(reason) as string,
    });
  });

  it("leaves out a stack that never ends", async () => {
    const open: Stack["open"] = () => Promise.resolve(() => new Promise(() => undefined));
    const stuck: Stack = { ...stackNamed("async iterator"), name: "stuck", open };
    const { measurement, generator, context } = setUp({ stacks: [stuck], patienceMilliseconds: 1 });
    const { stacks: [measured] = [] } = await measurement.measure(generator, context);
    expect(measured).toMatchObject({
      stacks: [],
      leftOut: [
        {
          stack: "stuck",
          reason: expect.stringMatching(/^stuck: 20 tokens are not delivered/) as string,
        },
        { stack: "node-llama-cpp" },
      ],
    });
  });

  it("knows when the tokens of a text that is cut anywhere are complete", async () => {
    const cut: Stack = {
      ...stackNamed("async iterator"),
      name: "cut",
      open: () =>
        Promise.resolve(async ({ stream, textOf }, take) => {
          let all = "";
          for await (const token of stream()) all += textOf(token);
          for (const piece of all.match(/.{1,7}/g) ?? []) take(piece);
        }),
    };
    const { measurement, generator, context } = setUp({ stacks: [cut], tokens: [9], blocks: 6 });
    const { stacks: [measured] = [] } = await measurement.measure(generator, context);
    // 9 tokens of two characters in three pieces; the first token waits for the other eight.
    expect(measured?.stacks[0]?.sizes[0]).toMatchObject({
      tokensPerPiece: 3,
      deliveryLatency: { count: 54, maximumNanoseconds: 800_000, minimumNanoseconds: 0 },
    });
  });

  it("takes a number of blocks, and ends when it is aborted", async () => {
    const { measurement, generator, context } = setUp({ stacks: here.slice(0, 2) });
    const { stacks: [measured] = [] } =
      (await measurement.withBlocks?.(2).measure(generator, context)) ?? {};
    expect(measured?.stacks[1]?.sizes[0]?.cpuMicroseconds).toHaveLength(2);
    const aborted = { ...context, signal: AbortSignal.abort() };
    expect(await measurement.measure(generator, aborted)).toEqual({});
  });

  it("is part of a record, and of its summary", async () => {
    const { measurement, generator, context } = setUp({ stacks: here.slice(0, 3) });
    const record = {
      ...(await exampleRecord()),
      ...(await measurement.measure(generator, context)),
    };
    expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
    expect(() =>
      parseRecord({ ...record, stacks: [{ ...record.stacks?.[0], stacks: 1 }] }),
    ).toThrow('"record.stacks[0].stacks" must be an array.');
    const text = renderSummary(record, { unicode: false, color: false, recordPath: "" });
    expect(text).toMatch(/\| ReadableStream\.tee +\|/);
    expect(text).toContain("Left out: node-llama-cpp: its streamer takes tokens of a model");
    const widths = text.split("\n").map((line) => (/^[|+-]/.test(line) ? line.length : 0));
    expect(Math.max(...widths)).toBeLessThanOrEqual(120);
  });
});
