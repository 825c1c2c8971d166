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
    .description("Slow streaming by known amounts, and show what the bench finds.")
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
Takes about six minutes, in eight processes. The bench estimates each delay from all its blocks.
Then it cuts the blocks into small experiments that judge "overhead under 5 %", and shows how
often these uphold and refute it.

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
