import { InvalidRecordError } from "@streamgauge/bench/record";
import { isStreamgaugeError, printable } from "@streamgauge/core";
import { classesCommand } from "./commands/classes-command.js";
import { exportCommand } from "./commands/export-command.js";
import { figuresCommand } from "./commands/figures-command.js";
import { importCommand } from "./commands/import-command.js";
import { reportCommand } from "./commands/report-command.js";

try {
  // Positional: both the program and its commands have --record and --out.
  await reportCommand()
    .enablePositionalOptions()
    .addCommand(classesCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand())
    .addCommand(figuresCommand())
    .parseAsync();
} catch (error) {
  // Of a record, a line of a history or a trial of the gate; the rest is a fault of ours.
  const isExpected = error instanceof InvalidRecordError || isStreamgaugeError(error);
  if (!isExpected) throw error;
  process.stderr.write(`${error.code}: ${printable(error.message)}\n`);
  process.exitCode = 1;
}
