import { exportCommand } from "./export-command.js";
import { figuresCommand } from "./figures-command.js";
import { importCommand } from "./import-command.js";
import { reportCommand } from "./report-command.js";

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
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = 1;
}
