import type { MessagePort } from "node:worker_threads";
import type { StreamToken } from "@streamgauge/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  RingConsumer,
  RingProducer,
  resolveRingOptions,
  type RingOptions,
} from "../src/ring/index.js";
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
import { explore, type Scenario } from "./interleavings/explore.js";
import { currentRun, loggedAtomics, loggedSlots } from "./interleavings/run.js";

/** Never looked into: the logged operations know the ring by its words. */
const anyHeader = vi.hoisted(() => new Int32Array(0));

/** Faults that a test puts into the ring, to see that they are found. */
const fault = vi.hoisted(() => ({
  looksBeforeAnnouncing: false,
  releasesBeforeReading: false,
  trustsTheWordOfTheDead: false,
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
    sleepUnless: async (header: Int32Array, word: number, hasWork: () => boolean) => {
      if (!fault.looksBeforeAnnouncing) return await original.sleepUnless(header, word, hasWork);
      if (hasWork()) return;
      Atomics.store(header, word, 1);
      await Atomics.waitAsync(header, word, 1).value;
    },
  };
});
vi.mock("node:timers/promises", () => ({ setImmediate: () => currentRun().turn() }));

const noFault = { ...fault };

beforeEach(() => {
  vi.stubGlobal("Atomics", loggedAtomics);
  // The timer that keeps a sleeper's thread alive, and the clock that says when a turn is due.
  vi.stubGlobal("setInterval", () => undefined);
  vi.spyOn(performance, "now").mockReturnValue(0);
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  Object.assign(fault, noFault);
});

interface Setting extends Pick<RingOptions, "wait" | "publishBatch"> {
  readonly capacity: number;
  readonly texts: readonly string[];
  readonly fails?: boolean;
  readonly mayDie?: boolean;
  /** The consumer stops when it has this many tokens. */
  readonly stopsAfter?: number;
  /** The consumer takes the generation back at once. */
  readonly withdraws?: boolean;
  /** A stop may come while the consumer sleeps. */
  readonly mayBeAborted?: boolean;
}

interface ProducerEnd {
  readonly claimed: boolean;
  readonly stopReason?: string | undefined;
}

interface ConsumerEnd {
  readonly received: number;
  readonly ending: string | undefined;
  readonly stopReason: string | undefined;
  readonly withdrawn: boolean;
}

function token(index: number, text: string): StreamToken {
  return {
    index,
    id: 100 + index,
    text,
    endOfSequence: index % 2 === 1,
    logprob: -index,
    producedAtMilliseconds: 1000 + index,
  };
}

/** Like a decode loop: it asks before each token whether it is still wanted. */
async function produce(producer: RingProducer, { texts, fails }: Setting): Promise<ProducerEnd> {
  if (!producer.begin()) return { claimed: false };
  let stopReason = producer.stopReason;
  for (const [index, text] of texts.entries()) {
    const next = token(index, text);
    currentRun().checkpoint(`token ${index}, ${stopReason}`, producer);
    while (stopReason === undefined && !producer.push(next)) {
      currentRun().checkpoint(`no room for token ${index}`, producer);
      await producer.writable();
      stopReason = producer.stopReason;
      currentRun().checkpoint(`token ${index} again, ${stopReason}`, producer);
    }
    stopReason ??= producer.stopReason;
    if (stopReason !== undefined) break;
  }
  currentRun().checkpoint(`end, ${stopReason}`, producer);
  producer.end(fails === true ? "failed" : "complete");
  return { claimed: true, stopReason };
}

async function consume(consumer: RingConsumer, setting: Setting): Promise<ConsumerEnd> {
  const { texts, stopsAfter, withdraws } = setting;
  let withdrawn = false;
  if (withdraws === true) {
    consumer.stop("cancelled");
    withdrawn = consumer.withdraw();
  }
  let received = 0;
  const wait = (): Promise<boolean> => {
    currentRun().checkpoint(`wait with ${received}, ${withdrawn}`, consumer);
    return consumer.wait();
  };
  const poll = (): StreamToken | undefined => {
    currentRun().checkpoint(`poll with ${received}, ${withdrawn}`, consumer);
    return consumer.poll();
  };
  while (await wait()) {
    for (let next = poll(); next !== undefined; next = poll()) {
      expect(next).toEqual(token(received, texts[received] ?? "no such token"));
      received += 1;
      if (received === stopsAfter) consumer.stop("cancelled");
    }
  }
  return { received, ending: consumer.ending, stopReason: consumer.stopReason, withdrawn };
}

function scenarioOf(setting: Setting): Scenario {
  const { capacity, publishBatch = 1, wait = "waitAsync" } = setting;
  const options = resolveRingOptions({ capacity, publishBatch, wait });
  const buffer = new SharedArrayBuffer(0);
  const ofMessages = wait === "message";
  return {
    capacity,
    ...(setting.mayDie === true && { producerMayDie: true }),
    stops: setting.mayBeAborted === true ? 1 : 0,
    timeouts: wait === "block" ? 1 : 0,
    producer: () => {
      const post = { postMessage: () => currentRun().perform({ kind: "post", word: 0 }) };
      const port = ofMessages ? ({ ...post, close: () => undefined } as unknown) : undefined;
      const memory = { buffer, capacity, publishBatch, ledger: false, port: port as MessagePort };
      const main = (): Promise<ProducerEnd> => produce(new RingProducer(memory), setting);
      return { main, onEvent: () => undefined };
    },
    consumer: () => {
      let listener: (() => void) | undefined;
      const on = (_: string, listen: () => void): void => void (listener = listen);
      const nothing = (): void => undefined;
      const port = ofMessages ? { on, ref: nothing, unref: nothing, close: nothing } : undefined;
      const memory = { buffer, capacity, publishBatch, ledger: false, port: undefined };
      const howToSleep = { ...options, port: port as unknown as MessagePort };
      const consumer = new RingConsumer(memory, howToSleep, 0);
      return {
        main: () => consume(consumer, setting),
        onEvent: (event) => {
          if (event === "message") listener?.();
          if (event === "lost" && !fault.trustsTheWordOfTheDead) consumer.declareLost();
          else if (event === "lost") {
            Atomics.store(anyHeader, producerStateWord, producerState.lost);
            wake(anyHeader, consumerAsleepWord);
          }
          if (event === "stop") consumer.stop("aborted");
        },
      };
    },
    checkEnd: (end) => {
      const producer = end.producer as ProducerEnd | undefined;
      checkEnd(setting, producer, end.consumer as ConsumerEnd, end.producerDied);
    },
  };
}

function checkEnd(
  { texts, fails, stopsAfter }: Setting,
  producer: ProducerEnd | undefined,
  consumer: ConsumerEnd,
  producerDied: boolean,
): void {
  if (producer?.claimed === false) {
    expect(consumer).toMatchObject({ received: 0, ending: "withdrawn", withdrawn: true });
  } else if (!producerDied) {
    expect(consumer.withdrawn).toBe(false);
  }
  if (consumer.stopReason === undefined) {
    const expected = producerDied ? ["lost", "complete"] : [fails === true ? "failed" : "complete"];
    expect(expected).toContain(consumer.ending);
    if (consumer.ending !== "lost") expect(consumer.received).toBe(texts.length);
  } else if (stopsAfter !== undefined) {
    expect(consumer.received).toBe(stopsAfter);
  }
}

const short = (count: number): string[] => ["a", "b", "c", "d"].slice(0, count);
/** Takes two slots. */
const long = "more than one slot";

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

  it("finds the token that is overwritten when its slot is released before it is read", async () => {
    fault.releasesBeforeReading = true;
    await expect(explore(scenarioOf({ capacity: 1, texts: short(3) }))).rejects.toThrow(
      /AssertionError: expected .* to deeply equal/,
    );
  });

  it("finds the consumer of a producer that died while waking it", async () => {
    fault.trustsTheWordOfTheDead = true;
    await expect(
      explore(scenarioOf({ capacity: 1, texts: short(1), mayDie: true })),
    ).rejects.toThrow(/the consumer sleeps for ever, after:(.|\n)*producer dies/);
  });
});
