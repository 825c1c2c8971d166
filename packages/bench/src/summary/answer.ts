import { columns, type Table } from "../tables/table.js";
import {
  decimalEstimate,
  duration,
  percent,
  percentEstimate,
  several,
  type Interval,
  type Value,
} from "../tables/value.js";
import type { ClaimSummary } from "./claim-summary.js";
import type { RunSummary } from "./run-summary.js";
import {
  ordinaryTokenMilliseconds,
  type LatencyPair,
  type ModeSummary,
  type StreamingSummary,
} from "./streaming-summary.js";

/** One thing that a summary says. */
export interface AnswerSentence {
  readonly kind:
    | "failed"
    | "refuted"
    | "inconclusive"
    | "void"
    | "upheld"
    | "transports"
    | "notes"
    | "tables";
  readonly label: string;
  /** The first come first where there is no room for all. */
  readonly items: readonly string[];
}

/** The sentences of a summary, the most important first; only those that have something to say. */
export function answerSentences(summary: RunSummary): AnswerSentence[] {
  const { failures, claims, notes, tables, transports, streaming } = summary;
  const sentences: AnswerSentence[] = [
    {
      kind: "failed",
      label: "Failed",
      items: failures.map(({ of, code, message }) => `${of}: ${code} ${message}`),
    },
    { kind: "refuted", label: "Does not hold", items: judged(claims, "refuted") },
    { kind: "inconclusive", label: "Undecided", items: judged(claims, "inconclusive") },
    { kind: "void", label: "Too noisy to say", items: judged(claims, "void") },
    { kind: "upheld", label: "Holds", items: judged(claims, "upheld") },
    ...(streaming === null
      ? transports.map(({ load, transports: each }) => ({
          kind: "transports" as const,
          label: `CPU to send a token, ${load}`,
          items: each.map((one) => `${one.transport} ${one.cpuMicrosecondsPerToken.toFixed(2)} µs`),
        }))
      : []),
    { kind: "notes", label: "Note", items: notes },
    { kind: "tables", label: "Also on the page", items: tables },
  ];
  return sentences.filter(({ items }) => items.length > 0);
}

/** What was measured: parts of a line, the last of which can be left out. */
export function answerTitle({ streaming, tables, status }: RunSummary): string[] {
  if (streaming === null) {
    const nothing =
      tables.length === 0 ? "Nothing was measured" : "This run compared no stream with generate()";
    return [status === "complete" ? `${nothing}.` : `${nothing} before the interruption.`];
  }
  const { tokens, generateMicrosecondsPerToken: alone, blocks, processes, otherCells } = streaming;
  const from = status === "complete" ? "Streaming from" : "Interrupted: streaming from";
  return [
    `${from} ${sourceOf(streaming)}`,
    countOf(tokens, "token"),
    ...(alone === null ? [] : [`${tokenTime(alone)} each without streaming`]),
    countOf(blocks, "block"),
    ...(processes === 1 ? [] : [`${processes} processes`]),
    ...(otherCells === 0 ? [] : [`${countOf(otherCells, "other setup")} on the page`]),
  ];
}

/** What made the tokens, and where. */
function sourceOf({ model, variant, host }: StreamingSummary): string {
  const what = variant === "" ? model : `${model}, ${variant},`;
  switch (host) {
    case "pooled":
      return `${what} in a worker thread`;
    case "inline":
      return `${what} in the consuming thread`;
    case "own":
      return variant === "" ? model : `${model}, ${variant}`;
    default:
      return `${what} at ${host}`;
  }
}

/** How much room there is: with `everything` all estimates have their intervals. */
export type AnswerRoom = "everything" | "one interval";

/** What each mode costs and how fast tokens come. Null where no mode was measured. */
export function answerTable({ streaming }: RunSummary, room: AnswerRoom): Table | null {
  if (streaming === null) return null;
  return {
    heading: "The answer",
    title: "What streaming costs per token, and when tokens come [95 %]:",
    columns: columns(
      "mode",
      "cost, µs/token [95 %]",
      "of this model",
      `of a ${ordinaryTokenMilliseconds} ms model`,
      "first token p50/p99",
      "between tokens p50/p99",
    ),
    rows: streaming.modes.map((mode) => ({ values: valuesOf(mode, room) })),
  };
}

function valuesOf(mode: ModeSummary, room: AnswerRoom): Value[] {
  const { costMicrosecondsPerToken: cost, fractionOfThisModel, fractionOfOrdinaryModel } = mode;
  return [
    mode.name,
    decimalEstimate(cost ?? undefined),
    fraction(fractionOfThisModel, 1, room),
    fraction(fractionOfOrdinaryModel, 2, room),
    pair(mode.timeToFirstToken),
    pair(mode.interTokenLatency),
  ];
}

function fraction(estimate: Interval | null, digits: 1 | 2, room: AnswerRoom): Value {
  if (estimate === null) return null;
  return room === "everything"
    ? percentEstimate(estimate, digits)
    : percent(estimate.value, digits);
}

function pair(latency: LatencyPair | null): Value {
  if (latency === null) return null;
  return several([duration(latency.p50Nanoseconds), duration(latency.p99Nanoseconds)]);
}

const kindsInWords: Readonly<Record<ClaimSummary["about"], string>> = {
  lengths: "lengths",
  cells: "setups",
  loads: "loads",
  measurements: "measurements",
};

function judged(
  claims: readonly ClaimSummary[],
  verdict: "upheld" | "refuted" | "inconclusive" | "void",
): string[] {
  return claims.flatMap((claim) => {
    const { length } = claim[verdict];
    const all = [claim.upheld, claim.refuted, claim.inconclusive, claim.void].flat().length;
    if (length === 0) return [];
    return [
      all === 1 ? claim.claim : `${claim.claim} (${length} of ${all} ${kindsInWords[claim.about]})`,
    ];
  });
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function tokenTime(microseconds: number): string {
  return microseconds >= 1000
    ? `${(microseconds / 1000).toFixed(1)} ms`
    : `${microseconds.toFixed(0)} µs`;
}
