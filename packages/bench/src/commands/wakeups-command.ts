import { Command } from "commander";
import { measureWakeUps } from "../endurance/wakeups.js";
import { brokenPromises, renderWakeUps } from "../endurance/wakeups-summary.js";
import { endureInTerminal, seedOf } from "./in-terminal.js";
import { parseCount, parseInteger } from "./option-values.js";
import { refuseModel } from "./refuse-model.js";

interface WakeUpFlags {
  readonly blocks: number;
  readonly seed?: number;
}

/** The `wakeups` command of the command line. */
export function wakeUpsCommand(): Command {
  return new Command("wakeups")
    .description("Compare the default ring with one that wakes its consumer for each token.")
    .option("--blocks <count>", "blocks of each load", parseCount, 40)
    .option("--seed <integer>", "seed of the orders (default: drawn)", parseInteger)
    .addOption(
      refuseModel(
        "What it promises is of the embedded model and the paced engine: measure a model of yours by bench --model.",
      ),
    )
    .addHelpText(
      "after",
      `
Each block runs the default ring once and a ring with maxDelayMilliseconds 0 twice, in a random
order: with 1, 4 and 16 streams of the embedded model at once, and with one stream of a model that
takes 20 ms a token. Differences are Hodges-Lehmann estimates over blocks with 95 % intervals. The
default takes about three minutes; run it on an idle machine.

What the ring promises, for the longest delay D: latency p50 at most D / 2 + 0.5 ms and p99 at most
D + 2 ms; in nine of ten blocks at most one wake-up for each D and two for each stream.

Exit codes: 0 all of it holds, 1 some of it does not, 130 interrupted.

Example:
  $ streamgauge wakeups --blocks 100`,
    )
    .action(async ({ blocks, seed }: WakeUpFlags) => {
      process.exitCode = await endureInTerminal({
        whatFollows: "Finishing the current block",
        describe: ({ subject }) => subject,
        run: (watch) => measureWakeUps({ blocks, seed: seedOf(seed) | 0, ...watch }),
        render: renderWakeUps,
        holds: (report) => brokenPromises(report).length === 0,
      });
    });
}
