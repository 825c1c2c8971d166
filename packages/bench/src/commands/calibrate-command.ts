import { Command } from "commander";
import { benchInTerminal } from "./bench-command.js";
import { parseInteger } from "./option-values.js";
import { refuseModel } from "./refuse-model.js";
import { calibrationPreset } from "../run/presets.js";

interface CalibrateFlags {
  readonly seed?: number;
  readonly out?: string;
}

/** The `calibrate` command of the command line. */
export function calibrateCommand(): Command {
  return new Command("calibrate")
    .description("Slow streaming by known shares, and show what the bench makes of them.")
    .option("--seed <integer>", "seed of the block orders (default: drawn)", parseInteger)
    .option("--out <folder>", "where record.json goes (default: results/local/<run id>)")
    .addOption(
      refuseModel(
        "It slows the paced engine, whose times are known: measure a model of yours by bench --model.",
      ),
    )
    .addHelpText(
      "after",
      `
Takes about six minutes, in eight processes. Each delay is estimated from all its blocks, and
they are cut into small experiments that decide "overhead under 5 %": how often these uphold
and refute it is the bench's operating characteristic.

Exit codes: 0 done, 1 an error or a failed cell, 130 interrupted.

Example:
  $ streamgauge calibrate --seed 7`,
    )
    .action(async ({ seed, out }: CalibrateFlags) => {
      process.exitCode = await benchInTerminal(
        { preset: calibrationPreset.name, claims: [], seed, outputFolder: out },
        { enforce: false, verbosity: "verbose" },
      );
    });
}
