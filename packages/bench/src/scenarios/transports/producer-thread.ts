import { setImmediate as nextTurn } from "node:timers/promises";
import { MessageChannel, Worker, type MessagePort, type Transferable } from "node:worker_threads";
import { StreamgaugeError, type StreamToken } from "@streamgauge/core";
import * as Comlink from "comlink";
import { within } from "../within.js";
import { transportOf, type TransportPlan } from "./transport-plan.js";

/** The content of a token: what is carried, over and over. */
export type Payload = Pick<StreamToken, "id" | "text">;

/** What the producer is asked for in one run. */
export interface TransportLoad {
  readonly tokens: number;
  /** Slept before each token, at least; 0 for a burst. */
  readonly gapMicroseconds: number;
}

/** What one run took. */
export interface CarryCost {
  /** User and system time of the whole process. */
  readonly cpuMicroseconds: number;
  /** Asked for → all delivered, and the producer done. */
  readonly durationNanoseconds: number;
}

/** A thread that makes tokens and sends them here, by whichever transport. */
export interface ProducerThread {
  /** Carries one load. One at a time. */
  carry(
    plan: TransportPlan,
    load: TransportLoad,
    onToken: (token: StreamToken) => void,
  ): Promise<CarryCost>;
  close(): Promise<void>;
}

/** Starts the thread. @param payload at least one token's content */
export type OpenProducerThread = (payload: readonly Payload[]) => Promise<ProducerThread>;

/** What the thread does on demand; see `producer-entry.ts`. */
export interface ProducerControl {
  /** Its `performance.now()`. */
  now(): number;
  /** Opens its end of a transport. */
  open(plan: TransportPlan, remote: unknown): void;
  /** Makes the tokens of one run, and ends the stream. */
  run(load: TransportLoad): Promise<void>;
}

/** What the thread is started with. */
export interface ProducerData {
  readonly port: MessagePort;
  readonly payload: readonly Payload[];
}

/** The built module, also where a test imports this one's source. */
const entry = new URL("../../../dist/scenarios/transports/producer-entry.js", import.meta.url);

/** A run that takes this long and twenty times what is asked of it has lost its end. */
const patienceMilliseconds = 60_000;

/**
 * Starts the thread, and checks that both threads' clocks agree.
 *
 * @throws StreamgaugeError `WORKER_FAILED` when it does not start, or its clock differs
 */
export const openProducerThread: OpenProducerThread = async (payload) => {
  const { port1, port2 } = new MessageChannel();
  const data: ProducerData = { port: port2, payload };
  const worker = new Worker(entry, { workerData: data, transferList: [port2] });
  const gone = new Promise<never>((_, reject) => {
    const fail = (what: string, cause?: unknown): void =>
      reject(
        new StreamgaugeError("WORKER_FAILED", `The thread that makes tokens ${what}.`, { cause }),
      );
    worker.on("error", (cause) => fail(`failed (${cause.message})`, cause));
    worker.on("exit", (code) => fail(`ended with code ${code}`));
  });
  gone.catch(() => undefined);
  const control = Comlink.wrap<ProducerControl>(port1);
  // Calls of comlink never settle once the other thread is gone.
  const call = <T>(answer: Promise<T>): Promise<T> => Promise.race([answer, gone]);
  const close = async (): Promise<void> => {
    port1.close();
    await worker.terminate();
  };
  try {
    await requireSameClock(() => call(control.now()));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    close,
    async carry(plan, load, onToken) {
      const end = transportOf(plan).receive();
      try {
        await call(control.open(plan, moved(end.remote, end.transfer)));
        // What the run before has left in the event loop is not this run's cost.
        await nextTurn();
        const cpuBefore = process.cpuUsage();
        const startMilliseconds = performance.now();
        // The order goes out first: a receiving end may block this thread.
        const produced = call(control.run(load));
        const { tokens, gapMicroseconds } = load;
        await within(
          `${plan.name}: ${tokens} tokens`,
          patienceMilliseconds + (20 * tokens * gapMicroseconds) / 1000,
          Promise.all([produced, call(end.run(onToken))]),
        );
        const durationNanoseconds = Math.round((performance.now() - startMilliseconds) * 1e6);
        const { user, system } = process.cpuUsage(cpuBefore);
        return { cpuMicroseconds: user + system, durationNanoseconds };
      } finally {
        end.close();
      }
    },
  };
};

function moved(remote: unknown, transfer: readonly Transferable[]): unknown {
  return transfer.length === 0 ? remote : Comlink.transfer(remote, [...transfer]);
}

/** Delivery latency is a difference of two threads' readings: the other's has to lie between two of ours. */
async function requireSameClock(now: () => Promise<number>): Promise<void> {
  const before = performance.now();
  const there = await now();
  const after = performance.now();
  if (before <= there && there <= after) return;
  throw new StreamgaugeError(
    "WORKER_FAILED",
    `The clocks of two threads differ: ${there} ms was read between ${before} and ${after} ms. ` +
      `Delivery latency cannot be measured on this platform.`,
  );
}
