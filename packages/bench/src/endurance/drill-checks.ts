import type { DrillPartOutcome } from "./drill-part.js";
import type { FaultKind } from "./drill-plan.js";
import type { Holdings } from "./process-watch.js";

/** One thing that a drill has to show. */
export interface Check {
  readonly name: string;
  /** What was found, in a few words. */
  readonly found: string;
  /** What is wrong; empty when nothing is. */
  readonly violations: readonly string[];
}

export interface ProcessFindings {
  readonly before: Holdings;
  readonly after: Holdings;
  readonly complaints: readonly string[];
}

/**
 * Bytes of the JavaScript heap and of memory beside it that may be left: what V8
 * compiles and learns while it runs, and what the report itself is made of, came
 * to 0.5 to 0.7 MB with a hundred streams as with two thousand, which leave more
 * than this when each leaves a kilobyte.
 */
const mostHeapBytes = 2 * 2 ** 20;
/** Rings of a drill have from 1 to 4 kB: of two thousand, not even two may be left. */
const mostArrayBufferBytes = 2048;

const fatalKinds: readonly FaultKind[] = ["exit", "uncaught", "reject", "heap", "killed"];

export function checkDrill(
  parts: readonly DrillPartOutcome[],
  { before, after, complaints }: ProcessFindings,
): Check[] {
  const streams = parts.flatMap((part) => part.streams);
  const wrong = streams.filter(({ violation }) => violation !== undefined);
  const settled = streams.filter(({ endedAs }) => endedAs !== undefined);
  const tokens = settled.reduce((sum, stream) => sum + stream.tokens, 0);
  const heap = after.heapBytes + after.externalBytes - before.heapBytes - before.externalBytes;
  const buffers = after.arrayBufferBytes - before.arrayBufferBytes;
  return [
    {
      name: "every stream ends as it should, with the right ids",
      found: `${settled.length} of ${streams.length} streams ended, ${tokens} tokens read`,
      violations: wrong.map(({ stream, violation }) => {
        const fault =
          stream.fault === undefined ? "no fault" : `${stream.fault.kind} at ${stream.fault.at}`;
        return `${stream.name} (${stream.reader}, ${fault}): ${violation}`;
      }),
    },
    ...parts.map((part) => checkWorkers(part)),
    {
      name: "no unhandled rejection, no warning",
      found: String(complaints.length),
      violations: complaints,
    },
    {
      name: "no thread left",
      found: `${before.threads} before, ${after.threads} after`,
      violations: after.threads > before.threads ? [`${after.threads} threads live`] : [],
    },
    {
      name: "no handle left",
      found: `${count(before.handles)} before, ${count(after.handles)} after`,
      violations: Object.entries(after.handles).flatMap(([name, now]) => {
        const then = before.handles[name] ?? 0;
        return now > then ? [`${name}: ${then} before, ${now} after`] : [];
      }),
    },
    {
      name: "no ring left",
      found: `${signed(buffers)} bytes of array buffers`,
      violations:
        buffers > mostArrayBufferBytes ? [`more than ${mostArrayBufferBytes} bytes are left`] : [],
    },
    {
      name: "memory back to the start",
      found: `${signed(Math.round(heap / 1024))} kB of heap and what it holds outside`,
      violations: heap > mostHeapBytes ? [`more than ${mostHeapBytes / 1024} kB are left`] : [],
    },
  ];
}

function checkWorkers({ name, streams, metrics }: DrillPartOutcome): Check {
  const fatal = streams.filter(({ stream }) =>
    fatalKinds.some((kind) => kind === stream.fault?.kind),
  ).length;
  const { queued, active, workers } = metrics;
  const violations = [
    workers.lost === fatal ? "" : `${workers.lost} were lost to ${fatal} faults`,
    workers.replaced === fatal ? "" : `${workers.replaced} of ${fatal} were replaced`,
    queued + active === 0 ? "" : `${queued} calls wait and ${active} run, after all have ended`,
  ];
  return {
    name: `${name}: those workers are lost that were meant to be, and are replaced`,
    found: `${workers.lost} lost, ${workers.replaced} replaced, ${workers.ready} ready`,
    violations: violations.filter((violation) => violation !== ""),
  };
}

function count(handles: Readonly<Record<string, number>>): number {
  return Object.values(handles).reduce((sum, number) => sum + number, 0);
}

function signed(value: number): string {
  return value > 0 ? `+${value}` : String(value);
}
