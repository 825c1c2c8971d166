import { setImmediate as nextTurn } from "node:timers/promises";
import { StreamgaugeError, type StreamToken } from "@streamgauge/core";
import { systemClock } from "./clock.js";

/** Something that an application does with each token. */
export interface Workload {
  readonly name: string;
  /** What it stands for, in a phrase. */
  readonly description: string;
  /** What takes the tokens of one generation; a fresh one for each. */
  create(): (token: StreamToken) => void | Promise<void>;
}

/**
 * What the last token was turned into. It is exported so that the compiler
 * cannot know that nobody reads it, and leave the work out.
 */
export const workloadOutput: { last: string } = { last: "" };

const busyNanoseconds = 50_000;

/** The workloads, from the least to the most. */
export const workloads: readonly Workload[] = [
  {
    name: "empty",
    description: "does nothing",
    create: () => () => undefined,
  },
  {
    name: "format",
    description: "builds a line to show: index, id, quoted text",
    create:
      () =>
      ({ index, id, text }) => {
        workloadOutput.last = `${String(index).padStart(5)} ${id} ${JSON.stringify(text)}`;
      },
  },
  {
    name: "accumulate",
    description: "appends the text to all the text so far",
    create: () => {
      let all = "";
      return ({ text }) => {
        all += text;
        // Looking at a character makes V8 join the pieces, as whoever shows the text does.
        workloadOutput.last = all.charAt(all.length - 1);
      };
    },
  },
  {
    name: "json",
    description: "makes a server-sent event of a JSON object",
    create:
      () =>
      ({ index, text, endOfSequence }) => {
        const choice = {
          index: 0,
          delta: { content: text },
          finish_reason: endOfSequence ? "stop" : null,
        };
        const event = { id: `completion-${index}`, object: "chunk", choices: [choice] };
        workloadOutput.last = `data: ${JSON.stringify(event)}\n\n`;
      },
  },
  {
    name: "busy-50us",
    description: "keeps the thread busy for 50 µs by the clock",
    create: () => () => {
      const end = systemClock.nowNanoseconds() + busyNanoseconds;
      while (systemClock.nowNanoseconds() < end);
    },
  },
  {
    name: "promise",
    description: "returns a promise that is resolved already: the next token waits for a microtask",
    create: () => () => Promise.resolve(),
  },
  {
    name: "async",
    description:
      "returns a promise that resolves in the next turn of the event loop (setImmediate)",
    create: () => () => nextTurn(),
  },
];

/** @throws StreamgaugeError `INVALID_OPTION` for a name that no workload has */
export function findWorkload(name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (found !== undefined) return found;
  const names = workloads.map((workload) => workload.name).join(", ");
  throw new StreamgaugeError(
    "INVALID_OPTION",
    `There is no workload "${name}". Workloads: ${names}.`,
  );
}
