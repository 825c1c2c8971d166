import type { BenchOptions } from "../run/bench-options.js";
import type { FleetOutcome, FleetProgress, FleetTarget } from "../run/parts/index.js";
import { machineClasses } from "../tables/machine-classes.js";
import { outputLook } from "../terminal/output-look.js";
import { terminalText } from "../terminal/terminal-text.js";
import { writeTable } from "../terminal/write-table.js";
import { exitCodeOf, type Verbosity } from "./exit-code.js";
import { interruptible } from "./in-terminal.js";
import { needsFleet } from "./needs-fleet.js";

/**
 * Runs the bench on the agents of a fleet, with a progress display and signals, and prints a table of
 * the classes of machines.
 *
 * @returns the exit code: the worst of the classes
 */
export async function fleetInTerminal(
  options: BenchOptions,
  target: FleetTarget,
  { enforce, verbosity }: { readonly enforce: boolean; readonly verbosity: Verbosity },
): Promise<number> {
  const { benchOnFleet } = await needsFleet();
  const { outcome, isInterrupted } = await interruptible(
    {
      whatFollows: "Ending; what is measured is kept",
      describe: ({ subject }: FleetProgress) => subject,
      isQuiet: verbosity === "quiet",
    },
    async ({ signal, onProgress }) => ({
      outcome: await benchOnFleet({ ...options, signal }, { ...target, onProgress }),
      isInterrupted: signal.aborted,
    }),
  );
  if (verbosity !== "quiet") process.stdout.write(outcomeText(outcome, verbosity));
  if (isInterrupted) return 130;
  const codes = [
    ...outcome.classes.map(({ record }) => exitCodeOf(record, enforce)),
    ...outcome.missing.map(() => 1),
  ];
  // Interrupted, failed and refuted come before what is not shown.
  return [130, 1, 2].find((code) => codes.includes(code)) ?? 0;
}

function outcomeText(outcome: FleetOutcome, verbosity: Verbosity): string {
  const { classes, folder } = outcome;
  const missing = [
    ...outcome.missing,
    ...classes.flatMap((each) => each.missing.map((what) => `${each.label}: ${what}`)),
  ];
  if (verbosity === "json") {
    const summaries = classes.map(({ label, machineClass, record, path }) => ({
      label,
      machineClass,
      status: record.status,
      record: path,
      claims: record.claims,
    }));
    return `${JSON.stringify({ folder, missing, classes: summaries }, null, 2)}\n`;
  }
  const shown = { ...outputLook(), recordPath: folder };
  const lines = [
    ...writeTable(machineClasses(classes), shown),
    ...missing,
    ...classes.map(({ label, record, path }) => `${label}: ${record.status}, ${path}`),
  ];
  return terminalText(`\n${lines.join("\n")}\n`, shown);
}
