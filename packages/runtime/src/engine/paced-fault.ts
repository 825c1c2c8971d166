import { StreamgaugeError } from "@streamgauge/core";

const faultKinds = ["throw", "uncaught", "reject", "exit", "heap"] as const;

/** A fault that a prompt commands, and the number of tokens before it. */
export interface PacedFault {
  readonly kind: (typeof faultKinds)[number];
  readonly afterTokens: number;
}

/**
 * Reads a command such as "exit at 12".
 *
 * @throws StreamgaugeError `INVALID_PROMPT`
 */
export function parsePacedFault(prompt: string): PacedFault {
  const [, name, count] = /^(\w+) at (\d+)$/.exec(prompt) ?? [];
  const kind = faultKinds.find((candidate) => candidate === name);
  if (kind === undefined || count === undefined) {
    throw new StreamgaugeError(
      "INVALID_PROMPT",
      `"${prompt}" commands no fault: a paced model with faults takes token ids, or a text such ` +
        `as "exit at 12", with one of ${faultKinds.join(", ")}.`,
    );
  }
  return { kind, afterTokens: Number(count) };
}

/** Makes it happen, in the thread that runs the model. */
export function commitFault({ kind, afterTokens }: PacedFault): void {
  const message = `A fault was commanded after ${afterTokens} tokens: ${kind}.`;
  switch (kind) {
    case "throw":
      throw new Error(message);
    case "uncaught":
      setImmediate(() => {
        throw new Error(message);
      });
      return;
    case "reject":
      void Promise.reject(new Error(message));
      return;
    case "exit":
      process.exit(1);
    case "heap":
      return fillHeap();
    default:
      kind satisfies never;
  }
}

/**
 * A chain of small objects, because V8 ends a worker only where it meets the limit
 * in small steps: an array or a map that doubles beyond it ends the process.
 */
function fillHeap(): void {
  let chain: { readonly next: unknown } | undefined;
  for (;;) chain = { next: chain };
}
