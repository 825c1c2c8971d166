import type { ErrorCode, FinishReason } from "@streamgauge/core";
import type { GenerationReport } from "@streamgauge/runtime";
import { isLate, type FaultKind, type PlannedStream } from "./drill-plan.js";
import type { ObservedEnd, Observation } from "./drill-reader.js";

/** What is known of the streams of a drill beside the plan. */
export interface Expectation {
  /** The id of a stream's token at this index, if nothing happens to it. */
  readonly idAt: (stream: PlannedStream, index: number) => number | undefined;
  /** Tokens that a worker may have made and not yet published. */
  readonly mostUnpublished: number;
}

interface RightEnd {
  readonly finishReason?: FinishReason;
  readonly errorCode?: ErrorCode;
}

/** How a stream has to end for its consumer, by its fault. */
const rightEnds: Record<FaultKind, RightEnd> = {
  exit: { errorCode: "WORKER_FAILED" },
  uncaught: { errorCode: "WORKER_FAILED" },
  reject: { errorCode: "WORKER_FAILED" },
  heap: { errorCode: "WORKER_FAILED" },
  killed: { errorCode: "WORKER_FAILED" },
  throw: { errorCode: "ENGINE_FAILED" },
  "aborted at a token": { finishReason: "aborted" },
  "aborted at a time": { finishReason: "aborted" },
  deadline: { finishReason: "deadline" },
  left: { finishReason: "cancelled" },
  "aborted late": { finishReason: "aborted" },
  "left late": { finishReason: "cancelled" },
  "throwing consumer": { finishReason: "cancelled" },
  "dropped unread": { finishReason: "cancelled" },
  "dropped half read": { finishReason: "cancelled" },
};

/** What is wrong with a stream that has ended; undefined when nothing is. */
export function judge(
  stream: PlannedStream,
  observation: Observation,
  reports: readonly GenerationReport[],
  expectation: Expectation,
): string | undefined {
  const { seen, end } = observation;
  return (
    judgeIds(stream, seen, expectation) ??
    judgeCount(stream, observation, expectation) ??
    judgeEnd(stream, end) ??
    judgeReports(stream, reports)
  );
}

function judgeIds(
  stream: PlannedStream,
  seen: readonly number[],
  { idAt }: Expectation,
): string | undefined {
  const wrong = seen.findIndex((id, index) => id !== idAt(stream, index));
  if (wrong === -1) return undefined;
  return `token ${wrong} has the id ${seen[wrong]} instead of ${idAt(stream, wrong)}`;
}

/** Tokens that the consumer must have seen. */
function judgeCount(
  { fault, maxTokens, reader }: PlannedStream,
  { seen, end }: Observation,
  { mostUnpublished }: Expectation,
): string | undefined {
  const [fewest, most] = ((): [number, number] => {
    switch (fault?.kind) {
      case undefined:
        return [maxTokens, maxTokens];
      case "exit":
      case "uncaught":
      case "reject":
      case "heap":
        // generate() has nothing to show when the thread that kept its tokens is gone.
        return reader === "generate" ? [0, 0] : [fault.at - mostUnpublished, fault.at];
      case "killed":
        return [fault.at, maxTokens];
      case "aborted at a time":
      case "deadline":
        return [0, maxTokens - 1];
      case "dropped unread":
        return [0, 0];
      case "throw":
      case "aborted at a token":
      case "left":
      case "aborted late":
      case "left late":
      case "throwing consumer":
      case "dropped half read":
        return [fault.at, fault.at];
    }
  })();
  if (seen.length < fewest || seen.length > most) {
    return `its consumer saw ${seen.length} tokens instead of ${fewest} to ${most}`;
  }
  const kept = end.kind === "finished" ? end.ids : end.kind === "failed" ? end.partial : undefined;
  const differs = kept !== undefined && kept.some((id, index) => id !== seen[index]);
  if (differs || (kept !== undefined && kept.length !== seen.length)) {
    return `its consumer saw ${seen.length} tokens, and its result has ${kept?.length}`;
  }
  return undefined;
}

function judgeEnd({ fault, reader }: PlannedStream, end: ObservedEnd): string | undefined {
  const isDropped = fault?.kind === "dropped unread" || fault?.kind === "dropped half read";
  if (isDropped && end.kind === "dropped") return undefined;
  if (fault?.kind === "throwing consumer") {
    const isRight =
      reader === "callback"
        ? end.kind === "failed" && end.errorCode === "CALLBACK_FAILED" && end.partial !== undefined
        : end.kind === "threw";
    return isRight ? undefined : `it ended for its consumer, which threw, as ${nameOfEnd(end)}`;
  }
  const right = rightEndOf(fault);
  const isRight =
    (end.kind === "finished" && end.finishReason === right.finishReason) ||
    (end.kind === "failed" && end.errorCode === right.errorCode);
  if (!isRight) return `it ended for its consumer as ${nameOfEnd(end)}`;
  // The thread that kept the tokens of generate() can have taken them along.
  const lacksPartial = end.kind === "failed" && end.partial === undefined && reader !== "generate";
  return lacksPartial ? "its error does not say what was delivered" : undefined;
}

function judgeReports(
  { fault }: PlannedStream,
  reports: readonly GenerationReport[],
): string | undefined {
  const [report] = reports;
  if (report === undefined) return "the runtime never said that it ended";
  if (reports.length > 1) return `the runtime said ${reports.length} times that it ended`;
  // The runtime tells how the worker ended, which is before a late fault.
  const right = rightEndOf(fault !== undefined && isLate(fault.kind) ? undefined : fault);
  if (report.finishReason === right.finishReason && report.errorCode === right.errorCode) {
    return undefined;
  }
  return `the runtime says that it ended as ${report.finishReason ?? report.errorCode}`;
}

function rightEndOf(fault: PlannedStream["fault"]): RightEnd {
  return fault === undefined ? { finishReason: "length" } : rightEnds[fault.kind];
}

/** How a stream ended for its consumer, in a word. */
export function nameOfEnd(end: ObservedEnd): string {
  switch (end.kind) {
    case "finished":
      return end.finishReason;
    case "failed":
      return end.errorCode;
    case "threw":
      return "its own error";
    case "dropped":
      return "dropped";
    default:
      return end satisfies never;
  }
}
