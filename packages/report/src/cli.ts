import { printable } from "@streamgauge/bench/tables";
import { exportCommand } from "./commands/export-command.js";
import { figuresCommand } from "./commands/figures-command.js";
import { importCommand } from "./commands/import-command.js";
import { reportCommand } from "./commands/report-command.js";

try {
  // Positional: both the program and its commands have --record and --out.
  await reportCommand()
    .enablePositionalOptions()
    .addCommand(exportCommand())
    .addCommand(importCommand())
    .addCommand(figuresCommand())
    .parseAsync();
} catch (error) {
  // Of a record, a line of a history or a trial of the gate.
  if (!(error instanceof Error && "code" in error && error.code === "INVALID_RECORD")) throw error;
  process.stderr.write(`${error.code}: ${printable(error.message)}\n`);
  process.exitCode = 1;
}
