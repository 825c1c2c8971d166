import { StreamgaugeError } from "@streamgauge/core";
import { Command, InvalidArgumentError, Option } from "commander";
import { parseInteger, parseMinutes, parsePercent } from "./option-values.js";
import { gateInTerminal, type GateFlags } from "../gate/gate-terminal.js";
import { gateEngines } from "../gate/gate-work.js";

/** The `gate` command of the command line. */
export function gateCommand(): Command {
  return new Command("gate")
    .description("Compare two versions in turns on this machine: is head slower than base?")
    .option("--base <ref|folder>", "the version to compare with: a git ref or a workspace folder")
    .option("--head <ref|folder>", "the version in question (default: this workspace)")
    .addOption(
      new Option("--engine <name>", "the paced engine or the embedded model")
        .choices(gateEngines)
        .default("paced"),
    )
    .option(
      "--step <microseconds>",
      "time of a step of the paced engine (default: 100)",
      parseInteger,
    )
    .option("--threshold <percent>", "what head may not be slower by", parsePercent, 0.05)
    .option("--seed <integer>", "seed of the orders (default: drawn)", parseInteger)
    .option("--blocks <count>", "blocks of each pair of processes, an even number", parseBlocks)
    .option("--time-budget <minutes>", "fewer blocks where it would take longer", parseMinutes)
    .option("--json <file>", "write what was measured and judged")
    .option("--summary <file>", "write the table as Markdown, for a pull request")
    .option(
      "--inject-slowdown <percent>",
      "slow head's generateStreamAsync, to see whether it is found",
      parsePercent,
    )
    .option("--self-test", "try the gate on identical code, with and without slowdowns")
    .option("--runs <count>", "gates of each slowdown in a self-test (default: 40)", parseInteger)
    .addHelpText(
      "after",
      `
Both versions run in processes of their own, in turns, one run at a time, in eight pairs of
fresh processes. A metric is a regression when it is surely slower by more than a quarter of
the threshold, and not surely by less than the threshold; with Holm's correction over metrics.
A ref is checked out, installed and built in a temporary worktree; a folder is used as it is.

Exit codes: 0 no regression, 1 a regression or an error, 2 inconclusive, 130 interrupted. A self-test
exits with 0 when it is done.

Examples:
  $ streamgauge gate --base main
  $ streamgauge gate --base v0.1.0 --head . --engine model --summary gate.md
  $ streamgauge gate --self-test --runs 40 --json self-test.json`,
    )
    .action(async (flags: GateFlags) => {
      refuseContradictions(flags);
      process.exitCode = await gateInTerminal(flags);
    });
}

function refuseContradictions(flags: GateFlags): void {
  const refuse = (message: string): never => {
    throw new StreamgaugeError("INVALID_OPTION", message);
  };
  if (flags.engine === "model" && flags.step !== undefined) {
    refuse("--step is for the paced engine: the steps of a model take what they take.");
  }
  if (flags.selfTest === true) {
    const { head, injectSlowdown, summary } = flags;
    if (head !== undefined) refuse("--self-test compares --base with itself: leave out --head.");
    if (injectSlowdown !== undefined)
      refuse("--self-test has slowdowns of its own: leave out --inject-slowdown.");
    if (summary !== undefined) refuse("--self-test has no table of metrics: leave out --summary.");
    return;
  }
  if (flags.base === undefined)
    refuse("--base is missing: name a git ref or a folder to compare with.");
  if (flags.runs !== undefined) refuse("--runs is for --self-test.");
}

function parseBlocks(text: string): number {
  const blocks = parseInteger(text);
  if (blocks < 2 || blocks % 2 === 1) {
    throw new InvalidArgumentError(
      "It must be an even number ≥ 2: either version comes first as often.",
    );
  }
  return blocks;
}
