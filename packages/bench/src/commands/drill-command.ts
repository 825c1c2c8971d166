import { Command } from "commander";
import { runDrill, type DrillProgress } from "../endurance/drill.js";
import { holds, renderDrill } from "../endurance/drill-summary.js";
import { endureInTerminal, seedOf } from "./in-terminal.js";
import { parseInteger } from "./option-values.js";
import { refuseModel } from "./refuse-model.js";

interface DrillFlags {
  readonly seed?: number;
  readonly streams: number;
  readonly faults: number;
  readonly embeddedStreams: number;
  readonly embeddedFaults: number;
}

/** The `drill` command of the command line. */
export function drillCommand(): Command {
  return new Command("drill")
    .description("Break some of many streams, and check that the others are whole.")
    .option("--seed <integer>", "seed of the plan (default: drawn)", parseInteger)
    .option("--streams <count>", "streams on the paced engine", parseInteger, 2000)
    .option("--faults <count>", "how many of them get a fault", parseInteger, 240)
    .option("--embedded-streams <count>", "streams on the embedded model", parseInteger, 80)
    .option("--embedded-faults <count>", "how many of them get a fault", parseInteger, 32)
    .addOption(
      refuseModel(
        "Its faults need the paced engine and the embedded model: try a model of yours by check-model.",
      ),
    )
    .addHelpText(
      "after",
      `
Takes about two minutes. Workers exit, throw, run out of heap and are ended from outside; consumers
abort, leave, throw, miss deadlines, and drop streams that they have not read. Every stream must
end as it should and with the right ids, and the process must be as it was before: no unhandled
rejection, and no thread, handle or memory of a ring left.

The seed gives the same streams and faults again. Which of them meet depends on the machine.

Exit codes: 0 all checks hold, 1 one does not, or an error, 130 interrupted.

Examples:
  $ streamgauge drill
  $ streamgauge drill --seed 7 --streams 200 --faults 40`,
    )
    .action(async (flags: DrillFlags) => {
      const seed = seedOf(flags.seed);
      process.exitCode = await endureInTerminal({
        whatFollows: "Stopping all streams",
        describe: ({ subject, ended, streams }: DrillProgress) =>
          `${subject}: ${ended} of ${streams} streams ended`,
        run: (watch) => runDrill({ ...flags, seed: seed | 0, ...watch }),
        ifInterrupted: "Interrupted: streams that were stopped prove nothing.",
        render: (report, options) =>
          renderDrill(report, options) +
          (holds(report)
            ? ""
            : `Not all checks hold. Once more: streamgauge drill --seed ${seed}\n`),
        holds,
      });
    });
}
