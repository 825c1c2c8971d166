import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { gateWork, type GateMode } from "../src/gate/gate-work.js";
import { openSideProcess } from "../dist/gate/side-process.js";
import { measureSide } from "../src/gate/side-run.js";
import { createFakeGenerator, ManualClock, type Mode } from "./fake-generator.js";

const work = gateWork("paced", { seed: 1, stepMicroseconds: 0 });
const modeOf: Readonly<Record<GateMode, Mode>> = {
  generate: "generate",
  generateStream: "stream",
  generateStreamAsync: "streamAsync",
};

/** A clock that reading moves too, as it must for whoever waits by reading it. */
class RunningClock extends ManualClock {
  override nowNanoseconds(): number {
    this.advance(1);
    return super.nowNanoseconds();
  }
}

async function measure(mode: GateMode, slowdown = 0, stalledCall = -1) {
  const clock = new RunningClock();
  const generator = createFakeGenerator({
    clock,
    tokenNanoseconds: (asked, call) => {
      expect([modeOf[mode], "generate"]).toContain(asked);
      return call === stalledCall ? 900_000 : 1000;
    },
  });
  return await measureSide(generator, mode, work, clock, slowdown);
}

describe("a measured run of a version", () => {
  it.each(["generate", "generateStream", "generateStreamAsync"] as const)(
    "times %s, and the first token where there is one",
    async (mode) => {
      const run = await measure(mode);
      expect(run.endToEndNanoseconds / (1000 * work.tokens)).toBeCloseTo(1, 1);
      if (mode === "generate") expect(run.firstTokenNanoseconds).toBeNull();
      else expect(run.firstTokenNanoseconds).toBeLessThan(3000);
    },
  );

  it("is that of the generation in the middle, not of a stalled one", async () => {
    const run = await measure("generate", 0, 6);
    expect(run.endToEndNanoseconds).toBeLessThan(2000 * work.tokens);
  });

  it("slows the async mode by what is injected, and no other", async () => {
    const plain = await measure("generateStreamAsync");
    const slowed = await measure("generateStreamAsync", 0.1);
    expect(slowed.endToEndNanoseconds / plain.endToEndNanoseconds).toBeCloseTo(1.1, 2);
    expect(slowed.firstTokenNanoseconds).toBe(plain.firstTokenNanoseconds);
    const stream = await measure("generateStream", 0.1);
    expect(stream.endToEndNanoseconds).toBe((await measure("generateStream")).endToEndNanoseconds);
  });

  it("has the same hash for the same ids in every mode", async () => {
    const [first, second] = [await measure("generate"), await measure("generateStreamAsync")];
    expect(first.idsHash).toBe(second.idsHash);
  });

  it("is refused where tokens are missing", async () => {
    const clock = new ManualClock();
    const generator = createFakeGenerator({ clock, tokenNanoseconds: () => 1000 });
    const short = {
      ...generator,
      generate: (...args: Parameters<typeof generator.generate>) =>
        generator.generate(args[0], { ...args[1], maxTokens: 3 }),
    };
    await expect(measureSide(short, "generate", work, clock)).rejects.toMatchObject({
      code: "OUTPUT_MISMATCH",
    });
  });
});

describe("a version in a process of its own", () => {
  const entryUrl = pathToFileURL(
    createRequire(import.meta.url).resolve("@streamgauge/runtime"),
  ).href;

  it("is imported from the URL it is given, measures what it is asked for, and ends", async () => {
    const side = await openSideProcess({ name: "base", entryUrl, work, slowdown: 0 });
    try {
      const run = await side.measure("generateStream");
      expect(run.endToEndNanoseconds).toBeGreaterThan(run.firstTokenNanoseconds ?? Infinity);
      expect((await side.measure("generate")).idsHash).toBe(run.idsHash);
    } finally {
      await side.close();
    }
    await side.close();
  });

  it("says why it cannot be opened", async () => {
    const missing = `${entryUrl}-of-nobody`;
    await expect(
      openSideProcess({ name: "head", entryUrl: missing, work, slowdown: 0 }),
    ).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      message: expect.stringContaining("of-nobody"),
    });
  });
});
