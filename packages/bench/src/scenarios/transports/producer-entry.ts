/**
 * The thread that makes the tokens. It lives as long as a measurement and obeys
 * the {@link ProducerControl} that it exposes.
 *
 * @module
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { workerData } from "node:worker_threads";
import { StreamgaugeError, type StreamToken } from "@streamgauge/core";
import * as Comlink from "comlink";
import type { ProducerControl, ProducerData, TransportLoad } from "./producer-thread.js";
import type { SendingEnd } from "./transport.js";
import { transportOf } from "./transport-plan.js";

const { port, payload } = workerData as ProducerData;

/** Nobody wakes whoever sleeps on it. */
const pillow = new Int32Array(new SharedArrayBuffer(4));

let opened: SendingEnd | undefined;

const control: ProducerControl = {
  now: () => performance.now(),
  open(plan, remote) {
    opened = transportOf(plan).send(remote);
  },
  async run(load) {
    if (opened === undefined) {
      throw new StreamgaugeError("INVALID_OPTION", "The producer has no open transport to run on.");
    }
    await produce(load, opened);
  },
};

/**
 * Makes the tokens of one run. In a paced load a step is what one of the engine
 * is: a turn of the event loop, and then a time in which the thread is blocked.
 * But it sleeps where the engine computes, so that CPU time is the transport's.
 */
async function produce({ tokens, gapMicroseconds }: TransportLoad, end: SendingEnd): Promise<void> {
  for (let index = 0; index < tokens; index += 1) {
    if (gapMicroseconds > 0) {
      await nextTurn();
      Atomics.wait(pillow, 0, 0, gapMicroseconds / 1000);
    }
    const { id, text } = payload[index % payload.length] as (typeof payload)[number];
    const token: StreamToken = {
      index,
      id,
      text,
      endOfSequence: index === tokens - 1,
      logprob: undefined,
      producedAtMilliseconds: performance.now(),
    };
    const waiting = end.send(token);
    if (waiting !== undefined) await waiting;
  }
  await end.end();
}

Comlink.expose(control, port);
