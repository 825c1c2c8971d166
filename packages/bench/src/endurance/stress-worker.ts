/** The producing thread of the stress: makes the tokens of one round after the other. */
import { parentPort } from "node:worker_threads";
import { RingProducer, type RingMemory } from "@streamgauge/runtime/ring";
import { StressPauses } from "./stress-pauses.js";
import { StressTokens } from "./stress-tokens.js";

/** What the producing thread is told for each round. */
export interface StressOrder {
  readonly memory: RingMemory;
  readonly tokens: number;
  readonly seed: number;
  readonly pauseSeed: number;
}

/** What it answers when its end of the ring is done. */
export interface StressProduced {
  readonly pushed: number;
  /** How often it found the ring full and slept. */
  readonly fullWaits: number;
}

const port = parentPort;
port?.on("message", (order: StressOrder) => {
  // What it throws ends this thread, and the other one hears of that.
  void produce(order).then((produced) => port.postMessage(produced));
});

async function produce({ memory, tokens, seed, pauseSeed }: StressOrder): Promise<StressProduced> {
  const producer = new RingProducer(memory);
  const source = new StressTokens(seed);
  const pauses = new StressPauses(pauseSeed);
  let fullWaits = 0;
  let pushed = 0;
  producer.begin();
  for (; pushed < tokens && producer.stopReason === undefined; pushed++) {
    const token = source.at(pushed);
    while (!producer.push(token) && producer.stopReason === undefined) {
      fullWaits += 1;
      await producer.writable();
    }
    const pause = pauses.after(pushed);
    if (pause !== undefined) await pause;
  }
  producer.end();
  return { pushed, fullWaits };
}
