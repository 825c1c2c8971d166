import { runProgram, type ProgramOutcome } from "../../core/test/run-program.js";

const program = new URL("../bin/streamgauge.js", import.meta.url);

/** Runs the command line in a process of its own. */
export function streamgauge(...flags: string[]): Promise<ProgramOutcome> {
  return runProgram(program, flags);
}

/** Runs it in another folder. */
export function streamgaugeIn(cwd: string, ...flags: string[]): Promise<ProgramOutcome> {
  return runProgram(program, flags, { cwd });
}

/** Packages that a user may leave out. */
const hidden = {
  fleet: String.raw`^@streamgauge\/fleet$|\/fleet\/dist\/`,
  runtime: String.raw`^(@streamgauge\/runtime|onnxruntime-node)(\/|$)`,
};

/** Runs it as if a package, and what comes with it, were not installed. */
export function streamgaugeWithout(
  name: keyof typeof hidden,
  ...flags: string[]
): Promise<ProgramOutcome> {
  const preload = new URL("hide-packages.mjs", import.meta.url);
  preload.searchParams.set("specifiers", hidden[name]);
  return runProgram(program, flags, { preload });
}
