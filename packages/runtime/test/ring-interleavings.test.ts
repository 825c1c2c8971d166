import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  consumerAsleepWord,
  flagsField,
  producerState,
  producerStateWord,
  slotHalves,
  tailWord,
} from "../src/ring/layout.js";
import type * as layout from "../src/ring/layout.js";
import type * as sleep from "../src/ring/sleep.js";
import { wake } from "../src/ring/sleep.js";
import type * as ticker from "../src/ring/ticker.js";
import { explore } from "./interleavings/explore.js";
import { scenarioOf, type Setting } from "./interleavings/programs.js";
import { currentRun, loggedAtomics, loggedSlots } from "./interleavings/run.js";

/** Never looked into: the logged operations know the ring by its words. */
const anyHeader = vi.hoisted(() => new Int32Array(0));

/** Faults that a test puts into the ring, to see that they are found. */
const fault = vi.hoisted(() => ({
  looksBeforeAnnouncing: false,
  releasesBeforeReading: false,
  endIsNotUrgent: false,
  halfFullIsNotUrgent: false,
}));

// A sleeper that is never woken, because its run is replayed no further, would hold this process.
vi.mock("../src/keep-alive.js", () => ({
  holdEventLoop: () => undefined,
  releaseEventLoop: () => undefined,
}));

vi.mock("../src/ring/layout.js", async (importOriginal) => ({
  ...(await importOriginal<typeof layout>()),
  viewRing: () => {
    let read = 0;
    const releaseEarly = (index: number): void => {
      if (fault.releasesBeforeReading && index % slotHalves === flagsField) {
        Atomics.store(anyHeader, tailWord, ++read);
      }
    };
    return {
      header: anyHeader,
      words: loggedSlots("words"),
      halves: loggedSlots("halves", releaseEarly),
      doubles: loggedSlots("doubles"),
      floats: undefined,
    };
  },
}));
vi.mock("../src/ring/sleep.js", async (importOriginal) => {
  const original = await importOriginal<typeof sleep>();
  return {
    ...original,
    announceSleep: (...[header, word, state, hasWork]: Parameters<typeof sleep.announceSleep>) => {
      if (!fault.looksBeforeAnnouncing) {
        return original.announceSleep(header, word, state, hasWork);
      }
      if (hasWork()) return false;
      Atomics.store(header, word, state);
      return true;
    },
    wake: (...[header, word, options = {}]: Parameters<typeof sleep.wake>) => {
      const isEnd = options.isUrgent === undefined;
      const isIgnored = isEnd ? fault.endIsNotUrgent : fault.halfFullIsNotUrgent;
      original.wake(header, word, { ...options, ...(isIgnored && { isUrgent: () => false }) });
    },
  };
});
// Its tick is one of the events that may come.
vi.mock("../src/ring/ticker.js", async (importOriginal) => ({
  ...(await importOriginal<typeof ticker>()),
  wakeUpOfTurn: () => 0,
  blockedWakeUp: () => 0,
  tickerOf: () => ({
    join: (dozer: ticker.Dozer) => currentRun().doze(dozer),
    leave: () => currentRun().doze(undefined),
  }),
}));
vi.mock("node:timers/promises", () => ({ setImmediate: () => currentRun().turn() }));

const noFault = { ...fault };

beforeEach(() => {
  vi.stubGlobal("Atomics", loggedAtomics);
  // The clock that says when a turn is due.
  vi.spyOn(performance, "now").mockReturnValue(0);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  Object.assign(fault, noFault);
});

const short = (count: number): string[] => ["a", "b", "c", "d"].slice(0, count);
/** Takes two slots. */
const long = "more than one slot";

/** From the second token on the consumer dozes: they are made a millisecond apart. */
const dozing = { maxDelayMilliseconds: 4 };

const settings: readonly [string, Setting][] = [
  ["no token at all", { capacity: 1, texts: [] }],
  ["four tokens", { capacity: 1, texts: short(4) }],
  ["four tokens", { capacity: 2, texts: short(4) }],
  ["four tokens in batches of two", { capacity: 2, publishBatch: 2, texts: short(4) }],
  ["a long text between short ones", { capacity: 1, texts: ["a", long, "b"] }],
  ["a long text between short ones", { capacity: 2, texts: ["a", long, "b"] }],
  ["long texts in batches of two", { capacity: 2, publishBatch: 2, texts: [long, long] }],
  ["a failure after two tokens", { capacity: 1, texts: short(2), fails: true }],
  ["a producer's death", { capacity: 1, texts: short(3), mayDie: true }],
  ["a producer's death", { capacity: 2, publishBatch: 2, texts: short(3), mayDie: true }],
  ["a stop after one token", { capacity: 1, texts: short(3), stopsAfter: 1 }],
  ["a stop after two tokens", { capacity: 2, texts: short(4), stopsAfter: 2 }],
  ["an abort while asleep", { capacity: 1, texts: short(3), mayBeAborted: true }],
  ["a withdrawal", { capacity: 1, texts: short(2), withdraws: true }],
  ["an abort and a death", { capacity: 1, texts: short(2), mayBeAborted: true, mayDie: true }],
  ["a doze, three tokens", { ...dozing, capacity: 1, texts: short(3) }],
  ["a doze, four tokens", { ...dozing, capacity: 2, texts: short(4) }],
  ["a doze, four tokens", { ...dozing, capacity: 4, texts: short(4) }],
  ["a doze, batches of two", { ...dozing, capacity: 4, publishBatch: 2, texts: short(4) }],
  ["a doze, a long text", { ...dozing, capacity: 2, texts: ["a", "b", long] }],
  ["a doze, a failure", { ...dozing, capacity: 2, texts: short(3), fails: true }],
  ["a doze, a death", { ...dozing, capacity: 1, texts: short(2), mayDie: true }],
  ["a doze, a death", { ...dozing, capacity: 2, texts: short(3), mayDie: true }],
  ["a doze, a stop", { ...dozing, capacity: 2, texts: short(4), stopsAfter: 3 }],
  ["a doze, an abort", { ...dozing, capacity: 2, texts: short(2), mayBeAborted: true }],
  [
    "a doze, an abort and a death",
    {
      ...dozing,
      wait: "message",
      capacity: 1,
      texts: short(2),
      mayBeAborted: true,
      mayDie: true,
    },
  ],
  ...(["message", "block"] as const).flatMap((wait): [string, Setting][] => [
    ["a doze, three tokens", { ...dozing, wait, capacity: 1, texts: short(3) }],
    ["a doze, three tokens", { ...dozing, wait, capacity: 2, texts: short(3) }],
  ]),
  ...(["message", "block"] as const).flatMap((wait): [string, Setting][] => [
    ["four tokens", { wait, capacity: 1, texts: short(4) }],
    ["four tokens in batches of two", { wait, capacity: 2, publishBatch: 2, texts: short(4) }],
    [
      "an abort and a death",
      { wait, capacity: 1, texts: short(2), mayBeAborted: true, mayDie: true },
    ],
  ]),
];

const named = settings.map(([what, setting]): [string, Setting] => {
  const { wait = "waitAsync", capacity } = setting;
  return [`${what} (${wait}, capacity ${capacity})`, setting];
});

describe("every interleaving", () => {
  it.each(named)("is in order, whole and awake with %s", async (_, setting) => {
    const explored = await explore(scenarioOf(setting));
    expect(explored.interleavings).toBeGreaterThan(explored.ends);
    // The snapshot says how much was explored: less would mean that something no longer is.
    expect(explored).toMatchSnapshot();
  });
});

describe("the exploration", () => {
  it("finds the wake-up that is lost when a side looks before it says that it sleeps", async () => {
    fault.looksBeforeAnnouncing = true;
    await expect(explore(scenarioOf({ capacity: 1, texts: short(2) }))).rejects.toThrow(
      /sleeps for ever, after:/,
    );
  });

  it.each(["waitAsync", "message", "block"] as const)(
    "finds the end and the full ring that a consumer which dozes is not told of (%s)",
    async (wait) => {
      const setting = { ...dozing, wait, capacity: 1, texts: short(4) };
      fault.endIsNotUrgent = true;
      await expect(explore(scenarioOf(setting))).rejects.toThrow(
        /consumer sleeps for ever, after:/,
      );
      Object.assign(fault, noFault, { halfFullIsNotUrgent: true });
      await expect(explore(scenarioOf(setting))).rejects.toThrow(/sleeps for ever, after:/);
      Object.assign(fault, noFault, { looksBeforeAnnouncing: true });
      await expect(explore(scenarioOf(setting))).rejects.toThrow(/sleeps for ever, after:/);
    },
  );

  it("finds the token that is overwritten when its slot is released before it is read", async () => {
    fault.releasesBeforeReading = true;
    await expect(explore(scenarioOf({ capacity: 1, texts: short(3) }))).rejects.toThrow(
      /AssertionError.*strictly deep-equal/,
    );
  });

  it("finds the consumer of a producer that died while waking it", async () => {
    const loseProducer = (): void => {
      Atomics.store(anyHeader, producerStateWord, producerState.lost);
      wake(anyHeader, consumerAsleepWord);
    };
    const setting = { capacity: 1, texts: short(1), mayDie: true, loseProducer };
    await expect(explore(scenarioOf(setting))).rejects.toThrow(
      /the consumer sleeps for ever, after:(.|\n)*producer dies/,
    );
  });
});
