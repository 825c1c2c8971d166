import { randomInt } from "node:crypto";
import { isatty } from "node:tty";
import { Command } from "commander";
import { parseCount, parseInteger, parseMinutes } from "./option-values.js";
import { interruptOnSignals } from "../terminal/interruption.js";
import { createProgressDisplay, showTimeLeft } from "../terminal/progress-display.js";
import { drawTable, toAscii } from "../terminal/terminal-text.js";
import {
  describeWait,
  stress,
  type StressProgress,
  type StressReport,
} from "../endurance/stress.js";

interface StressFlags {
  readonly tokens: number;
  readonly seed?: number;
  readonly minutes?: number;
}

const defaultTokens = 100_000_000;

/** The `stress` command of the command line. */
export function stressCommand(): Command {
  return new Command("stress")
    .description("Move tokens between two threads through rings of all kinds, and check each one.")
    .option("--tokens <count>", "tokens in all, 1e8 if not given", parseCount, defaultTokens)
    .option("--seed <integer>", "seed of tokens, pauses and order (default: drawn)", parseInteger)
    .option("--minutes <number>", "for so long instead of so many tokens", parseMinutes)
    .addHelpText(
      "after",
      `
A worker makes tokens whose fields follow from a seed; this thread reads them through rings of
capacity 1 to 4096, published singly and in batches, with every way of waiting and being told late
(by 0 and 4 ms). Both sides pause at random. Each token is checked for its place and its content, and every word around the ring
for being untouched. The default takes a few minutes.

Every interleaving of small rings is explored by the tests (pnpm test), not here.

Exit codes: 0 nothing is wrong, 1 something is, 130 interrupted with nothing wrong so far.
The first Ctrl-C ends the run and shows what it did.

Examples:
  $ streamgauge stress
  $ streamgauge stress --tokens 1e6 --seed 7
  $ streamgauge stress --minutes 60`,
    )
    .action(async (flags: StressFlags) => {
      process.exitCode = await stressInTerminal(flags);
    });
}

async function stressInTerminal({ tokens, minutes, seed }: StressFlags): Promise<number> {
  const interruption = interruptOnSignals("Ending");
  const display = createProgressDisplay<StressProgress>(
    process.stderr,
    ({ subject, secondsLeft }) => `${subject}${showTimeLeft(secondsLeft)}`,
  );
  const report = await stress({
    tokens,
    minutes,
    seed: seed ?? randomInt(2 ** 31),
    signal: interruption.signal,
    onProgress: (progress) => display.update(progress),
  }).finally(() => {
    display.stop();
    interruption.release();
  });
  process.stdout.write(renderStress(report, { unicode: isatty(process.stdout.fd) }));
  return exitCodeOfStress(report);
}

/** The exit code that a stress run stands for. */
export function exitCodeOfStress({ rounds, interrupted }: StressReport): number {
  if (rounds.some(({ violations }) => violations > 0)) return 1;
  return interrupted ? 130 : 0;
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
  return `${unicode ? text : toAscii(text)}\n`;
}

/** Violations that are shown in words. */
const mostShown = 10;
