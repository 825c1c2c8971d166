import { StreamgaugeError } from "@streamgauge/core";
import { Command, InvalidArgumentError, Option } from "commander";
import { isAbsolute, normalize } from "node:path";
import { parseCount, parseInteger, parseMinutes, parsePercent } from "./option-values.js";
import { refuseModel } from "./refuse-model.js";
import { gateInTerminal, type GateFlags } from "../gate/gate-terminal.js";
import { gateEngines } from "../gate/gate-work.js";

/** The `gate` command of the command line. */
export function gateCommand(): Command {
  return new Command("gate")
    .description("Compare two versions of your code, in turns: is head slower than base?")
    .option("--base <ref|folder>", "the version to compare with: a git ref or a workspace folder")
    .option("--head <ref|folder>", "the version in question (default: this workspace)")
    .addOption(
      new Option("--engine <name>", "the paced engine (default) or the embedded model").choices(
        gateEngines,
      ),
    )
    .option("--module <path>", "your own scenarios instead: a path from the root of either version")
    .option("--scenario <name>", "which of them, where there are several")
    .option("--tokens <count>", "tokens of each of your generations (default: 32)", parseCount)
    .option("--build <script>", "script of package.json that builds a ref, after installing")
    .option(
      "--step <microseconds>",
      "time of a step of the paced engine (default: 100)",
      parseInteger,
    )
    .option("--threshold <percent>", "what head may not be slower by", parsePercent, 0.05)
    .option("--seed <integer>", "seed of the orders (default: drawn)", parseInteger)
    .option("--blocks <count>", "blocks of each pair of processes, an even number", parseBlocks)
    .option("--time-budget <minutes>", "fewer blocks if it would take longer", parseMinutes)
    .option("--json <file>", "write what was measured and judged")
    .option("--summary <file>", "write the table as Markdown, for a pull request")
    .option(
      "--inject-slowdown <percent>",
      "slow head's generateStreamAsync, to see whether the gate finds it",
      parsePercent,
    )
    .option("--self-test", "try the gate on identical code, with and without slowdowns")
    .option("--runs <count>", "gates of each slowdown in a self-test (default: 40)", parseInteger)
    .addOption(
      refuseModel(
        "Either version brings its own: choose by --engine, or open a model of yours in a scenario, by --module.",
      ),
    )
    .addHelpText(
      "after",
      `
Each version runs in its own process. Both take turns, one run at a time, in eight pairs of
fresh processes. A metric is a regression when it is surely slower by more than a quarter of
the threshold, and not surely by less than the threshold. Holm's correction over the metrics
keeps false alarms to one in twenty gates.
A ref is checked out, installed and built in a temporary worktree; a folder is used as it is.
With --module any repository with a lock file of npm, pnpm or yarn will do.

Exit codes: 0 no regression, 1 a regression or an error, 2 inconclusive, 130 interrupted. A self-test
exits with 0 when it is done.

Examples:
  $ streamgauge gate --base main
  $ streamgauge gate --base v0.1.0 --head . --engine model --summary gate.md
  $ streamgauge gate --base main --module bench/my-engine.bench.mjs --summary gate.md
  $ streamgauge gate --self-test --runs 40 --json self-test.json`,
    )
    .action(async (flags: GateFlags) => {
      refuseContradictions(flags);
      refuseWithoutModule(flags);
      const { module } = flags;
      process.exitCode = await gateInTerminal({
        ...flags,
        ...(module !== undefined && { module: normalize(module) }),
      });
    });
}

function refuseContradictions(flags: GateFlags): void {
  const refuse = (message: string): never => {
    throw new StreamgaugeError("INVALID_OPTION", message);
  };
  if (flags.engine === "model" && flags.step !== undefined) {
    refuse(
      "--step is for the paced engine: nobody sets how long a step of a model takes. Leave it out.",
    );
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

/** What is about a module of scenarios, or goes without one. */
function refuseWithoutModule({ module, engine, selfTest, ...flags }: GateFlags): void {
  const refuse = (message: string): never => {
    throw new StreamgaugeError("INVALID_OPTION", message);
  };
  if (module === undefined) {
    const { scenario, tokens, build } = flags;
    const given = Object.entries({ scenario, tokens, build }).find(
      ([, value]) => value !== undefined,
    );
    if (given !== undefined)
      refuse(`--${given[0]} is about scenarios of your own: give their --module.`);
    return;
  }
  if (engine !== undefined || flags.step !== undefined)
    refuse("--engine and --step choose our engines, and --module yours: give one of them.");
  if (selfTest === true) refuse("--self-test tries the gate on our engines: leave out --module.");
  if (isAbsolute(module) || normalize(module).startsWith(".."))
    refuse(
      "--module is a path from the root of either version, such as bench/my-engine.bench.mjs.",
    );
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
