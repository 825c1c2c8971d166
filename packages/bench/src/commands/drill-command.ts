import { isatty } from "node:tty";
import { Command } from "commander";
import { parseInteger } from "./option-values.js";
import { interruptOnSignals } from "../terminal/interruption.js";
import { createProgressDisplay } from "../terminal/progress-display.js";
import { runDrill, type DrillProgress } from "../endurance/drill.js";
import { holds, renderDrill } from "../endurance/drill-summary.js";

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
    .description("Commit faults among many streams, and check that nothing else is hurt.")
    .option("--seed <integer>", "seed of the plan (default: drawn)", parseInteger)
    .option("--streams <count>", "streams on the paced engine", parseInteger, 2000)
    .option("--faults <count>", "how many of them get a fault", parseInteger, 240)
    .option("--embedded-streams <count>", "streams on the embedded model", parseInteger, 80)
    .option("--embedded-faults <count>", "how many of them get a fault", parseInteger, 32)
    .addHelpText(
      "after",
      `
Takes about two minutes. Workers exit, throw, run out of heap and are ended from outside; consumers
abort, leave, throw, miss deadlines, and let go of streams that they have not read. Every stream must
end as it should and with the right ids, and the process must be left as it was: no rejection that
nobody handled, no thread, no handle, no memory of a ring.

The seed gives the same streams and faults again; what happens at the same time is up to the machine.

Exit codes: 0 all checks hold, 1 one does not, or an error, 130 interrupted.

Examples:
  $ streamgauge drill
  $ streamgauge drill --seed 7 --streams 200 --faults 40`,
    )
    .action(async (flags: DrillFlags) => {
      process.exitCode = await drillInTerminal(flags);
    });
}

async function drillInTerminal(flags: DrillFlags): Promise<number> {
  const seed = flags.seed ?? Math.floor(Math.random() * 2 ** 31);
  const interruption = interruptOnSignals("Stopping all streams");
  const display = createProgressDisplay<DrillProgress>(process.stderr, describe);
  const report = await runDrill({
    ...flags,
    seed: seed | 0,
    signal: interruption.signal,
    onProgress: (progress) => display.update(progress),
  }).finally(() => {
    display.stop();
    interruption.release();
  });
  if (report.interrupted) {
    process.stderr.write("Interrupted: streams that were stopped prove nothing.\n");
    return 130;
  }
  process.stdout.write(renderDrill(report, { unicode: isatty(process.stdout.fd) }));
  if (holds(report)) return 0;
  process.stdout.write(`Not all checks hold. Once more: streamgauge drill --seed ${seed}\n`);
  return 1;
}

function describe({ subject, ended, streams }: DrillProgress): string {
  return `${subject}: ${ended} of ${streams} streams ended`;
}
