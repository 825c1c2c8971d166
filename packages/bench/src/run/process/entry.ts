/**
 * A process that measures for a run of the bench. Started by `run-process.ts`.
 *
 * @module
 */
import { StreamgaugeError } from "@streamgauge/core";
import { systemClock } from "../../plan/clock.js";
import { execute } from "../execution.js";
import type { RunSink } from "../journal.js";
import { planStages } from "../plan-stages.js";
import { openGenerator } from "../../scenarios/open-generator.js";
import type { FromProcess, ProcessOrder, ToProcess } from "./protocol.js";

const interruption = new AbortController();
const pending = new Map<number, (value: unknown) => void>();
let calls = 0;

// A terminal sends these to the whole group; the bench decides what they mean.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => interruption.abort());
}
// The bench has gone: nobody wants the rest.
process.on("disconnect", () => process.exit(1));

process.on("message", (raw) => {
  const message = raw as ToProcess;
  switch (message.type) {
    case "measure":
      void measure(message);
      return;
    case "abort":
      return interruption.abort();
    case "answer":
      pending.get(message.call)?.(message.value);
      pending.delete(message.call);
      return;
    default:
      return message satisfies never;
  }
});

async function measure(order: ProcessOrder): Promise<void> {
  try {
    await execute({
      stages: await planStages(order),
      process: order.process,
      seed: order.seed,
      clock: systemClock,
      signal: interruption.signal,
      open: openGenerator,
      sink,
      report: (progress) => send({ type: "progress", progress }),
    });
    // Node gives kibibytes on every platform.
    await call("processDone", [process.resourceUsage().maxRSS * 1024]);
    send({ type: "done" });
  } catch (error) {
    send({ type: "failed", error: StreamgaugeError.toWire(error, "ENGINE_FAILED") });
  }
  process.removeAllListeners("disconnect");
  process.disconnect();
}

/** Each method, carried over to the bench's own sink. */
const sink: RunSink = {
  generatorOpened: async (...args) => void (await call("generatorOpened", args)),
  cellBegun: async (...args) => void (await call("cellBegun", args)),
  blockDone: async (...args) => void (await call("blockDone", args)),
  cellDone: async (...args) => void (await call("cellDone", args)),
  measured: async (...args) => void (await call("measured", args)),
  fileMade: async (...args) => (await call("fileMade", args)) as string,
  processDone: async (...args) => void (await call("processDone", args)),
};

async function call(method: keyof RunSink, args: readonly unknown[]): Promise<unknown> {
  const id = (calls += 1);
  const answered = new Promise<unknown>((resolve) => pending.set(id, resolve));
  send({ type: "call", call: id, method, args });
  return await answered;
}

function send(message: FromProcess): void {
  process.send?.(message);
}
