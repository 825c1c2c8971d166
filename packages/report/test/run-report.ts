import { runProgram, type ProgramOutcome } from "../../core/test/run-program.js";

/** Runs `streamgauge-report` in a folder, in a process of its own. */
export function runReport(cwd: string, ...flags: string[]): Promise<ProgramOutcome> {
  return runProgram(new URL("../bin/streamgauge-report.js", import.meta.url), flags, { cwd });
}
