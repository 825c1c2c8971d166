import { Command } from "commander";
import { stress, type StressProgress } from "../endurance/stress.js";
import { isUnbroken, renderStress } from "../endurance/stress-summary.js";
import { showTimeLeft } from "../terminal/progress-display.js";
import { endureInTerminal, seedOf } from "./in-terminal.js";
import { parseCount, parseInteger, parseMinutes } from "./option-values.js";
import { refuseModel } from "./refuse-model.js";

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
    .option("--tokens <count>", "how many tokens in all", parseCount, defaultTokens)
    .option("--seed <integer>", "seed of tokens, pauses and order (default: drawn)", parseInteger)
    .option("--minutes <number>", "run for so long instead of so many tokens", parseMinutes)
    .addOption(
      refuseModel(
        "It moves tokens that no model makes: measure a model of yours by bench --model.",
      ),
    )
    .addHelpText(
      "after",
      `
A worker makes tokens from a seed; this thread reads them through rings of capacity 1 to 4096,
published singly and in batches, with every way of waiting and delays of 0 and 4 ms. Both sides
pause at random. The command checks the place and the content of each token, and that every word
around the ring is untouched. The default takes a few minutes.

The tests (pnpm test) explore every interleaving of small rings.

Exit codes: 0 nothing is wrong, 1 something is, 130 interrupted with nothing wrong so far.
The first Ctrl-C ends the run and shows what it did.

Examples:
  $ streamgauge stress
  $ streamgauge stress --tokens 1e6 --seed 7
  $ streamgauge stress --minutes 60`,
    )
    .action(async ({ seed, ...flags }: StressFlags) => {
      process.exitCode = await endureInTerminal({
        whatFollows: "Ending",
        describe: ({ subject, secondsLeft }: StressProgress) =>
          `${subject}${showTimeLeft(secondsLeft)}`,
        run: (watch) => stress({ ...flags, seed: seedOf(seed), ...watch }),
        render: renderStress,
        holds: isUnbroken,
        isJudgedIfInterrupted: true,
      });
    });
}
