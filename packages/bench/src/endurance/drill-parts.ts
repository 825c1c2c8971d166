import { StreamgaugeError } from "@streamgauge/core";
import type { DrillPart } from "./drill-part.js";
import {
  commandedFaults,
  planDrill,
  readers,
  type DrillPlanOptions,
  type FaultKind,
  type PlannedStream,
} from "./drill-plan.js";
import { embeddedPrompts } from "./drill-reference.js";
import { needsRuntime } from "../plan/needs-runtime.js";

/** How much a drill is, and which. */
export interface DrillSize {
  /** Seed of the plan, a 32-bit integer. What happens when is up to the machine. */
  readonly seed: number;
  /** Streams on the paced engine, and how many of them get a fault. */
  readonly streams: number;
  readonly faults: number;
  /** Streams on the embedded model, and how many of them get a fault. */
  readonly embeddedStreams: number;
  readonly embeddedFaults: number;
}

const consumerFaults: readonly FaultKind[] = [
  "aborted at a token",
  "aborted late",
  "left",
  "left late",
  "throwing consumer",
  "dropped unread",
  "dropped half read",
];
/** For an engine that does not come to the end of its context first. */
const timedFaults: readonly FaultKind[] = ["aborted at a time", "deadline"];

/** @throws StreamgaugeError `INVALID_OPTION` for a drill of nothing, or with more faults than streams */
export function checkSize({ streams, faults, embeddedStreams, embeddedFaults }: DrillSize): void {
  if (streams + embeddedStreams < 1) {
    throw new StreamgaugeError("INVALID_OPTION", "A drill needs a stream: ask for one or more.");
  }
  if (faults <= streams && embeddedFaults <= embeddedStreams) return;
  throw new StreamgaugeError(
    "INVALID_OPTION",
    `A stream has one fault at most: ${faults} faults among ${streams} streams and ` +
      `${embeddedFaults} among ${embeddedStreams} on the embedded model are too many.`,
  );
}

/**
 * The streams of the paced engine are shared between three runtimes whose consumers
 * sleep in different ways; those of the embedded model get one with one worker,
 * so that the thread which waits for room is known.
 *
 * @param references the completions of the embedded model, by prompt
 */
export async function planParts(
  size: DrillSize,
  references: ReadonlyMap<string, readonly number[]>,
): Promise<DrillPart[]> {
  const { seed, streams, faults, embeddedStreams, embeddedFaults } = size;
  const { embeddedModel, pacedModel } = await needsRuntime(() => import("@streamgauge/runtime"));
  const paced: Omit<DrillPlanOptions, "streams" | "faults" | "seed"> = {
    kinds: [...commandedFaults, ...consumerFaults, ...timedFaults],
    readers,
    prompts: (draw) => [draw.integer(0, 999)],
    mostTokens: 120,
    longestWaitMilliseconds: Math.max(100, streams),
    endless: 1_000_000,
    mostUnread: 8,
  };
  const model = pacedModel({ stepMicroseconds: 20, faults: true });
  const workers = { model, workers: 2, maxHeapMegabytes: 48 };
  const third = { streams: Math.ceil(streams / 3), faults: Math.ceil(faults / 3) };
  const rest = { streams: streams - third.streams, faults: faults - third.faults };
  const half = { streams: Math.ceil(rest.streams / 2), faults: Math.ceil(rest.faults / 2) };
  const last = { streams: rest.streams - half.streams, faults: rest.faults - half.faults };
  const parts: DrillPart[] = [
    {
      name: "paced, waitAsync",
      options: { ...workers, ring: { capacity: 16 } },
      streams: planDrill("first", { ...paced, ...third, seed }),
      idAt: pacedIdAt,
      mostUnpublished: 0,
    },
    {
      name: "paced, message",
      options: { ...workers, ring: { capacity: 64, publishBatch: 4, wait: "message" } },
      streams: planDrill("second", { ...paced, ...half, seed: seed ^ 2 }),
      idAt: pacedIdAt,
      mostUnpublished: 3,
    },
    {
      name: "paced, block",
      options: { ...workers, ring: { capacity: 16, wait: "block", spinMicroseconds: 0 } },
      // Each that waits keeps the thread from all others.
      atOnce: workers.workers,
      streams: planDrill("fourth", {
        ...paced,
        ...last,
        longestWaitMilliseconds: 100,
        seed: seed ^ 4,
      }),
      idAt: pacedIdAt,
      mostUnpublished: 0,
    },
    {
      name: "embedded model",
      // Who shares a worker's steps is lost with it: one at a time, nobody else is.
      options: { model: embeddedModel, maxBatch: 1, ring: { capacity: 4 } },
      streams: planDrill("third", {
        kinds: ["killed", ...consumerFaults],
        readers: readers.filter((reader) => reader !== "text stream" && reader !== "byte stream"),
        prompts: (draw) => draw.pick(embeddedPrompts),
        mostTokens: 60,
        longestWaitMilliseconds: 0,
        // More than its context: it would end by itself only there.
        endless: 10_000,
        mostUnread: 1,
        seed: seed ^ 3,
        streams: embeddedStreams,
        faults: embeddedFaults,
      }),
      idAt: ({ prompt }, index) =>
        typeof prompt === "string" ? references.get(prompt)?.[index] : undefined,
      mostUnpublished: 0,
    },
  ];
  return parts.filter((part) => part.streams.length > 0);
}

/** The paced engine counts on from its prompt's last id; after a text from 0. */
function pacedIdAt({ prompt }: PlannedStream, index: number): number {
  const last = typeof prompt === "string" ? -1 : (prompt[prompt.length - 1] ?? -1);
  return (last + 1 + index) % 1000;
}
