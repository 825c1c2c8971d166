/**
 * A process that sends the requests of a shard. Started by `shard-process.ts`.
 *
 * @module
 */
import { StreamgaugeError } from "@streamgauge/core";
import { systemClock } from "../../plan/clock.js";
import { lateAfterNanoseconds } from "../load-plan.js";
import { LoadSamplesWriter } from "../load-samples.js";
import { openTarget } from "../open-target.js";
import { runShard } from "../run-shard.js";
import type { StageTally } from "../stage-tally.js";
import type { FromShard, ShardOrder, ShardSamples, ToShard } from "./protocol.js";

/** Between two words on how many requests were bad. */
const countsMilliseconds = 250;

const interruption = new AbortController();
const { signal } = interruption;
let start: (atNanoseconds: bigint) => void = () => undefined;
/** When the schedule begins, by `process.hrtime`. */
const started = new Promise<bigint>((resolve) => {
  start = resolve;
});

// A terminal sends these to the whole group; whoever started this process decides what they mean.
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => undefined);
// Whoever started it has gone: nobody wants the rest.
process.on("disconnect", () => process.exit(1));
signal.addEventListener("abort", () => start(process.hrtime.bigint()));

process.on("message", (raw) => {
  const message = raw as ToShard;
  switch (message.type) {
    case "open":
      void offer(message.order);
      return;
    case "start":
      return start(message.atNanoseconds);
    case "abort":
      return interruption.abort();
    default:
      return message satisfies never;
  }
});

async function offer(order: ShardOrder): Promise<void> {
  try {
    const { mix, schedule } = order;
    const target = await openTarget(order.target, { mix, seed: schedule.seed, signal });
    try {
      await send({ type: "ready", target: target.recorded });
      await send({ type: "done", ...(await sendRequests(order, target)) });
    } finally {
      await target.close();
    }
  } catch (error) {
    await send({ type: "failed", error: StreamgaugeError.toWire(error, "ENGINE_FAILED") });
  }
  process.removeAllListeners("disconnect");
  process.disconnect();
}

async function sendRequests(
  order: ShardOrder,
  { generator }: Awaited<ReturnType<typeof openTarget>>,
): Promise<ShardSamples> {
  const { runId, step, shard, of, mix, schedule, timeoutSeconds, maxConcurrency, limits } = order;
  const writer = new LoadSamplesWriter({ runId, step, shard, of });
  const atNanoseconds = await started;
  const leftNanoseconds = Number(atNanoseconds - process.hrtime.bigint());
  let tallies: readonly StageTally[] = [];
  const telling =
    limits === null ? undefined : setInterval(() => tellCounts(tallies), countsMilliseconds);
  const { status } = await runShard(
    {
      schedule,
      shard,
      of,
      startAtNanoseconds: systemClock.nowNanoseconds() + leftNanoseconds,
    },
    {
      generator,
      mix,
      // Whoever has the samples of all shards counts them.
      limits: limits ?? {},
      lateAfterNanoseconds,
      timeoutSeconds,
      maxConcurrency: maxConcurrency ?? undefined,
      signal,
      onSample: (sample) => writer.add(sample),
      // Whoever hears of all shards decides.
      isDecided: (all) => {
        tallies = all;
        return false;
      },
    },
  ).finally(() => clearInterval(telling));
  return { status, samples: await writer.finish() };
}

function tellCounts(tallies: readonly StageTally[]): void {
  const bad = tallies.reduce((sum, tally) => sum + tally.bad, 0);
  const late = tallies.reduce((sum, tally) => sum + tally.late, 0);
  process.send?.({ type: "counts", bad, late } satisfies FromShard);
}

/** Resolves when it is on its way: a process that ended before would take it along. */
async function send(message: FromShard): Promise<void> {
  await new Promise<void>((resolve) => {
    process.send?.(message, undefined, undefined, () => resolve());
  });
}
