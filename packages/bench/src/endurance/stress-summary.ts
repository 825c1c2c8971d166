import { drawTable, terminalText } from "../terminal/terminal-text.js";
import { describeWait, type StressReport } from "./stress.js";

/** Whether no ring has lost, doubled, reordered or torn a token, or written beside itself. */
export function isUnbroken({ rounds }: StressReport): boolean {
  return rounds.every(({ violations }) => violations === 0);
}

/** What a stress run did, for a terminal: a row for each ring, what is wrong, the answer. */
export function renderStress(
  { rounds, seed, interrupted }: StressReport,
  { unicode }: { readonly unicode: boolean },
): string {
  const show = (count: number): string => count.toLocaleString("en-US");
  const rows = rounds.map(({ ring, tokens, seconds, emptyWaits, fullWaits, violations }) => [
    describeWait(ring),
    show(ring.capacity),
    show(ring.publishBatch),
    show(tokens),
    seconds.toFixed(1),
    show(emptyWaits),
    show(fullWaits),
    show(violations),
  ]);
  const head = ["wait", "capacity", "batch", "tokens", "s", "empty", "full", "violations"];
  const sum = (of: (round: StressReport["rounds"][number]) => number): number =>
    rounds.reduce((total, round) => total + of(round), 0);
  const violations = sum((round) => round.violations);
  const what =
    violations === 0
      ? "nothing lost, doubled, reordered, torn or written beside a ring"
      : `${show(violations)} violations: the ring is broken on this machine, please report it`;
  const parts = [
    drawTable(head, rows, { unicode }),
    "empty, full: how often the consumer found the ring empty, and the producer found it full.",
    ...rounds.flatMap(({ described }) => described).slice(0, mostShown),
    `${interrupted ? "Interrupted. " : ""}${show(sum((round) => round.tokens))} tokens in ` +
      `${sum((round) => round.seconds).toFixed(0)} s through ${rounds.length} kinds of ring, ` +
      `${show(sum((round) => round.canaries))} canaries, seed ${seed}: ${what}.`,
  ];
  const text = parts.join("\n\n");
  return `${terminalText(text, { unicode })}\n`;
}

/** Violations that are shown in words. */
const mostShown = 10;
