/** Programs for the two sides of a ring, and what has to be true when they have ended. */
import assert from "node:assert/strict";
import type { MessagePort } from "node:worker_threads";
import type { StreamToken } from "@streamgauge/core";
import {
  RingConsumer,
  RingProducer,
  resolveRingOptions,
  type RingOptions,
} from "../../src/ring/index.js";
import type { Scenario } from "./explore.js";
import { currentRun } from "./run.js";

/** What the two sides of a scenario do with their ends of the ring. */
export interface Setting extends Pick<
  RingOptions,
  "wait" | "publishBatch" | "maxDelayMilliseconds"
> {
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
  /** What the host does when the producer has died, instead of `declareLost()`. */
  readonly loseProducer?: () => void;
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
      assert.deepEqual(next, token(received, texts[received] ?? "no such token"));
      received += 1;
      if (received === stopsAfter) consumer.stop("cancelled");
    }
  }
  return { received, ending: consumer.ending, stopReason: consumer.stopReason, withdrawn };
}

/** A scenario over the real ends of a ring. */
export function scenarioOf(setting: Setting): Scenario {
  const { capacity, publishBatch = 1, wait = "waitAsync", maxDelayMilliseconds = 0 } = setting;
  const options = resolveRingOptions({ capacity, publishBatch, wait, maxDelayMilliseconds });
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
          if (event === "lost") (setting.loseProducer ?? (() => consumer.declareLost()))();
          if (event === "stop") consumer.stop("aborted");
        },
      };
    },
    checkEnd: (end) => checkEnd(setting, end),
  };
}

function checkEnd(
  { texts, fails, stopsAfter }: Setting,
  end: Parameters<Scenario["checkEnd"]>[0],
): void {
  const producer = end.producer as ProducerEnd | undefined;
  const consumer = end.consumer as ConsumerEnd;
  const { stopReason, ending, received, withdrawn } = consumer;
  if (producer?.claimed === false) assert.equal(ending, "withdrawn");
  assert.equal(withdrawn, ending === "withdrawn");
  if (stopReason === undefined) {
    const endings = end.producerDied ? ["lost", "complete"] : [fails ? "failed" : "complete"];
    assert.ok(endings.includes(String(ending)), `it ended as ${ending}`);
    // All that became visible has arrived, also of a producer that died.
    assert.equal(received, wholeTokens(texts, end.publishedSlots));
    if (ending !== "lost") assert.equal(received, texts.length);
  } else if (stopsAfter !== undefined) {
    assert.equal(received, stopsAfter);
  }
}

/** How many tokens fill so many slots. */
function wholeTokens(texts: readonly string[], slots: number): number {
  let left = slots;
  return texts.filter((text) => (left -= Math.max(1, Math.ceil(text.length / 16))) >= 0).length;
}
