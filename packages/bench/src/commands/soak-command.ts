import { Command } from "commander";
import { runSoak, type SoakProgress } from "../endurance/soak.js";
import { isFlat, renderSoak } from "../endurance/soak-summary.js";
import { endureInTerminal, seedOf } from "./in-terminal.js";
import { parseInteger, parseMinutes } from "./option-values.js";
import { refuseModel } from "./refuse-model.js";

interface SoakFlags {
  readonly streams: number;
  readonly seed?: number;
  readonly minutes?: number;
}

/** The `soak` command of the command line. */
export function soakCommand(): Command {
  return new Command("soak")
    .description("Run a hundred thousand short streams, and show whether memory stays flat.")
    .option("--streams <count>", "streams to run", parseInteger, 100_000)
    .option("--seed <integer>", "seed of their lengths and ways (default: drawn)", parseInteger)
    .option("--minutes <count>", "stop after so much time", parseMinutes)
    .addOption(
      refuseModel(
        "It runs the paced engine, so that memory is the host's own: measure a model of yours by bench --model.",
      ),
    )
    .addHelpText(
      "after",
      `
Takes a minute or two. Memory is sampled a hundred times, after collecting garbage. The slope after
the first quarter is given with a 95 % interval; "flat" means that all of the interval is below what
is allowed: 4 bytes per stream in heap, external memory and array buffers, 32 in resident memory.

The first Ctrl-C ends the soak and shows what there is.

Exit codes: 0 all flat, 1 not shown to be flat, or an error, 130 interrupted.

Example:
  $ streamgauge soak --streams 1000000 --minutes 30`,
    )
    .action(async ({ seed, ...flags }: SoakFlags) => {
      process.exitCode = await endureInTerminal({
        whatFollows: "Finishing the current streams",
        describe: ({ streams }: SoakProgress) => `${streams} streams`,
        run: (watch) => runSoak({ ...flags, seed: seedOf(seed) | 0, ...watch }),
        render: renderSoak,
        holds: isFlat,
      });
    });
}
