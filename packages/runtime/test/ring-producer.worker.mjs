// The producing thread of the ring's tests, on the built package.
import { workerData } from "node:worker_threads";
import { setTimeout as pause } from "node:timers/promises";
import { RingProducer } from "../dist/ring/index.js";

const { memory, count, pauseMilliseconds } = workerData;
const producer = new RingProducer(memory);
producer.begin();
for (let index = 0; index < count && producer.stopReason === undefined; index++) {
  const token = { index, id: index * 7, text: `t${index}`, endOfSequence: false };
  while (!producer.push(token)) {
    await producer.writable();
    if (producer.stopReason !== undefined) break;
  }
  if (pauseMilliseconds !== undefined) await pause(pauseMilliseconds);
}
producer.end();
