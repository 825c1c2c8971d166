import { InvalidRecordError } from "@streamgauge/bench/record";
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
  if (!(error instanceof InvalidRecordError)) throw error;
  process.stderr.write(`${error.code}: ${error.message}\n`);
  process.exitCode = 1;
}
