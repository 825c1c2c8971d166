/**
 * A process that measures one version for a gate. Started by `side-process.ts`.
 *
 * The code that measures is the gate's own, the same for both versions; what it
 * measures, `@streamgauge/runtime` and all below it, or a module of scenarios, is the version's.
 *
 * @module
 */
import { StreamgaugeError, isStreamgaugeError, type Generator } from "@streamgauge/core";
import type * as Runtime from "@streamgauge/runtime";
import { systemClock } from "../plan/clock.js";
import type { GateMode, GateWork } from "./gate-work.js";
import { openOwn } from "./own-side.js";
import type { FromSide, SideOrder, SideRun, ToSide } from "./side-protocol.js";
import { measureSide } from "./side-run.js";

// Each side's threads are those of its rule: a measurement while loading could choose differently for
// each. Versions from before there was such a variable have a rule only.
process.env["STREAMGAUGE_TUNING"] ??= "rule";
// A terminal sends these to the whole group; the gate decides what they mean.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
// The gate has gone: nobody wants the rest.
process.on("disconnect", () => process.exit(1));

interface Opened extends SideOrder {
  readonly generator: Generator & { close(): Promise<void> };
}

let opened: Opened | undefined;

process.on("message", (raw) => {
  obey(raw as ToSide).then(
    (answer) => process.send?.(answer, () => answer.type === "closed" && leave()),
    (error: unknown) =>
      process.send?.({ type: "failed", error: StreamgaugeError.toWire(error, "ENGINE_FAILED") }),
  );
});

async function obey(message: ToSide): Promise<FromSide> {
  switch (message.type) {
    case "open":
      opened =
        message.work.engine === "own"
          ? { ...message, ...(await openOwn(message.entryUrl, message.work)) }
          : { ...message, generator: await open(message.entryUrl, message.work) };
      return { type: "opened" };
    case "measure":
      return { type: "measured", run: await measure(message.mode) };
    case "close":
      await opened?.generator.close();
      return { type: "closed" };
    default:
      return message satisfies never;
  }
}

async function open(url: string, work: GateWork): Promise<Opened["generator"]> {
  const { embeddedModel, pacedModel, createRuntime } = (await import(url)) as typeof Runtime;
  if (work.engine === "paced") {
    const stepMicroseconds = work.stepMicroseconds ?? 0;
    return await createRuntime({ model: pacedModel({ stepMicroseconds }), workers: 1 });
  }
  const options = { model: embeddedModel, workers: 1 };
  // The prompt repeats, and each generation is to run it whole.
  return await createRuntime({ ...options, prefixReuse: false }).catch((error: unknown) => {
    // A version from before there was such an option runs it whole anyway.
    if (isStreamgaugeError(error) && error.code === "INVALID_OPTION") return createRuntime(options);
    throw error;
  });
}

async function measure(mode: GateMode): Promise<SideRun> {
  if (opened === undefined) throw new Error("Nothing is open.");
  const { generator, work, slowdown } = opened;
  return await measureSide(generator, mode, work, systemClock, slowdown);
}

function leave(): void {
  process.removeAllListeners("disconnect");
  process.disconnect();
}
