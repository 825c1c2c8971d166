import { describe, expect, it } from "vitest";
import { gateWork } from "../src/gate/gate-work.js";
import { runGate } from "../src/gate/run-gate.js";
import { runCell } from "../src/measure/experiment.js";
import { systemClock } from "../src/plan/clock.js";
import { profileMeasurement } from "../src/profile/profile-measurement.js";
import { engineMeasurement } from "../src/scenarios/engine/engine-measurement.js";
import { openGenerator } from "../src/scenarios/open-generator.js";
import { transportMeasurement } from "../src/scenarios/transport-measurement.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { measurementContext } from "./measurement-context.js";
import { cellPlan } from "./plans.js";

/** Runs in the order in which they were made, a letter each. */
type Sequence = string[];

async function ofCell(seed: number): Promise<Sequence> {
  const made: Sequence = [];
  const clock = new ManualClock();
  const generator = createFakeGenerator({
    clock,
    tokenNanoseconds: () => 1000,
    onCall: (mode) => made.push({ generate: "g", stream: "s", streamAsync: "a" }[mode]),
  });
  const work = {
    prompt: [1],
    config: { maxTokens: 10, ignoreEos: true, temperature: 0, seed: 1 },
  };
  await runCell(generator, cellPlan({ blocks: 5 }), {
    clock,
    seed,
    process: 0,
    work,
    onWarmUp: () => void made.push(" "),
    onBlock: ({ runs }) => void made.push(`(${runs.map((run) => run.treatment[0]).join("")}) `),
  });
  return made;
}

async function ofProfile(seed: number): Promise<Sequence> {
  const made: Sequence = [];
  const clock = new ManualClock();
  const generator = createFakeGenerator({
    clock,
    tokenNanoseconds: () => 1000,
    onCall: () => made.push("."),
  });
  const asyncActivity = { promises: 1, reactions: 1, reactionMilliseconds: 1 };
  const plan = profileMeasurement({
    kind: "asyncActivity",
    treatment: "stream",
    tokens: 10,
    blocks: 7,
    mainDiagnostics: () => {
      made.push("[");
      return Promise.resolve({
        stop: () => {
          made.push("]");
          const report = { thread: "main", clockOffsetMilliseconds: 0, report: asyncActivity };
          return Promise.resolve([report as never]);
        },
      });
    },
  });
  await plan.measure(generator, measurementContext({ clock, seed }));
  return made;
}

async function ofTransports(seed: number): Promise<Sequence> {
  const made: Sequence = [];
  const plan = { id: "paced", engine: "paced", model: "paced", host: "inline" };
  const measurement = transportMeasurement({
    id: "tiny",
    scenario: "transports",
    load: { tokens: 10, gapMicroseconds: 0 },
    transports: ["a", "b", "c"].map((name) => ({ name, kind: "postMessage" })),
    baselines: ["a"],
    blocks: 7,
    timeBudgetSeconds: 60,
    expectedSeconds: 1,
    openProducer: (payload) =>
      Promise.resolve({
        carry({ name }, { tokens }, onToken) {
          made.push(name);
          for (let index = 0; index < tokens; index += 1) {
            onToken({
              index,
              ...payload[index]!,
              endOfSequence: index === tokens - 1,
              logprob: undefined,
              producedAtMilliseconds: performance.now(),
            });
          }
          return Promise.resolve({ cpuMicroseconds: 100, durationNanoseconds: 1_000_000 });
        },
        close: () => Promise.resolve(),
      }),
  });
  const generator = await openGenerator(plan);
  try {
    await measurement.measure(generator, measurementContext({ plan, seed }));
  } finally {
    await generator.close();
  }
  return made;
}

async function ofEngine(seed: number): Promise<Sequence> {
  const made: Sequence = [];
  const contenders = ["a", "b", "c"].map((name) => ({
    name,
    run: () => {
      made.push(name);
      return Promise.resolve({ value: 1 });
    },
  }));
  const measurement = engineMeasurement({
    id: "tiny",
    title: "Tiny",
    unit: "ms",
    baselines: ["a"],
    warmUpBlocks: 2,
    blocks: 7,
    timeBudgetSeconds: 60,
    expectedSeconds: 1,
    open: () => Promise.resolve({ contenders, terms: [] }),
  });
  const report = (step: string): void => void made.push(` ${step.replace("block ", "")} `);
  const generator = createFakeGenerator({ clock: new ManualClock(), tokenNanoseconds: () => 1 });
  await measurement.measure(generator, measurementContext({ clock: systemClock, seed, report }));
  return made;
}

async function ofGate(seed: number): Promise<Sequence> {
  const made: Sequence = [];
  const clock = new ManualClock();
  await runGate({
    entryUrls: { base: "file:///base", head: "file:///head" },
    work: gateWork("paced", { seed: 1, stepMicroseconds: 100 }),
    size: { pairs: 2, blocks: 4 },
    threshold: 0.05,
    seed,
    clock,
    openSide: ({ name }) =>
      Promise.resolve({
        measure: (mode) => {
          made.push({ generate: "g", generateStream: "s", generateStreamAsync: "a" }[mode]);
          made.push(name === "base" ? "b " : "h ");
          return Promise.resolve({ endToEndNanoseconds: 1, firstTokenNanoseconds: 1, idsHash: "" });
        },
        close: async () => void made.push("|"),
      }),
  });
  return made;
}

// Records say which seed they were made with: it has to mean the same orders for ever.
describe("the same seed gives the same orders as ever", () => {
  it.each([
    [
      "cell",
      ofCell,
      "ggsga gggas gagsg gsagg gsagg ggsga(csgs) gggas(gcss) gagsg(sgsc) gsagg(sscg) gsagg(sscg)",
    ],
    [
      "profile",
      ofProfile,
      ".....[.]...[.].......[.]...[.]...[.].........[.].[.].......[.]...[.]....",
    ],
    ["transports", ofTransports, "abcbcacbabaccababcbcacbabaccabacbcba"],
    [
      "engine",
      ofEngine,
      "warm-up abc warm-up bca 1 of 7 cba 2 of 7 bac 3 of 7 cab 4 of 7 acb 5 of 7 cba 6 of 7 acb 7 of 7 cab",
    ],
    [
      "gate",
      ofGate,
      "gh gb sh sb ab ah sb sh ah ab gb gh ah ab sb sh gh gb sh sb gb gh ab ah ah ab gh gb sb sh gb gh ab ah sh sb ||gb gh sh sb ah ab ab ah gh gb sb sh ah ab sb sh gb gh gh gb ab ah sh sb sh sb gb gh ah ab sb sh ab ah gh gb ||",
    ],
  ])("of a %s", async (_, sequenceOf, expected) => {
    expect((await sequenceOf(3)).join("").trim()).toBe(expected);
  });
});
