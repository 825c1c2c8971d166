import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { StreamgaugeError, printableJson } from "@streamgauge/core";
import { Command, Option } from "commander";
import { readClaimList } from "../conclude/claim-list.js";
import type { Claim } from "../record/index.js";
import {
  addEndpointFlags,
  endpointExamples,
  endpointArguments,
  endpointOf,
  fixedByRecord,
  type EndpointFlags,
} from "./endpoint-flags.js";
import { exitCodeOf, type Verbosity } from "./exit-code.js";
import { fleetInTerminal } from "./fleet-bench.js";
import { addFleetFlags, fleetOf, type FleetFlags } from "./fleet-flags.js";
import { interruptible } from "./in-terminal.js";
import { appendLimit } from "./limits.js";
import { parseInteger, parseMinutes } from "./option-values.js";
import { describeProgress } from "../terminal/progress-display.js";
import { describeChoices, presetNames } from "../run/presets.js";
import type { ResultRecord } from "../record/index.js";
import type { Selection } from "../plan/selection.js";
import type { BenchOptions } from "../run/bench-options.js";
import { runBench } from "../run/run-bench.js";
import { profileFlags } from "../scenarios/profiled.js";
import { summarize } from "../summary/index.js";
import { answerLines } from "../terminal/answer-lines.js";
import { outputLook } from "../terminal/output-look.js";
import { renderSummary } from "../terminal/summary.js";
import { placeOf, type GivenToBench } from "./run-place.js";

interface BenchFlags
  extends Pick<Selection, "tokens" | "blocks" | "dtype">, EndpointFlags, FleetFlags {
  readonly profile?: string;
  readonly scenario?: string[];
  readonly seed?: number;
  readonly timeBudget?: number;
  readonly out?: string;
  readonly resume?: string;
  readonly claims?: string;
  readonly wait?: number;
  readonly limit?: readonly Claim[];
  readonly enforce?: true;
  readonly verbose?: true;
  readonly json?: true;
  readonly quiet?: true;
}

/** A build before the run is over by then; and a quick run has five minutes. */
const defaultWaitSeconds = 30;

/** The `bench` command of the command line. */
export function benchCommand(): Command {
  const command = new Command("bench")
    .description("Measure what streaming tokens costs, and judge claims about it.")
    .argument("[modules...]", "JavaScript modules that export scenarios over your own generators")
    .option("--profile <name>", `how thorough: ${presetNames.join(", ")} (default: quick)`)
    .option("--scenario <name...>", "ask these questions instead of the profile's own")
    .option(
      "--model <name>",
      "a model folder; hub:owner/name; 15M, 42M or 135M with random weights; with --url the server's name",
    )
    .option("--dtype <name>", "which graph of the model's folder (default: what config.json says)")
    .option("--tokens <count...>", "only these numbers of tokens", appendInteger)
    .option("--seed <integer>", "seed of the block orders (default: drawn)", parseInteger)
    .option(
      "--blocks <count>",
      "blocks of each token count and process; a block runs each mode once",
      parseInteger,
    )
    .option(
      "--time-budget <minutes>",
      "time for the whole run: fewer blocks if it would take longer; with quick also more",
      parseMinutes,
    )
    .option("--out <folder>", "where record.json and raw/ go (default: results/local/<run id>)")
    .option("--resume <folder>", "go on with the interrupted run in this folder")
    .option("--claims <file>", "judge the claims in this file (default: the shipped claims.json)")
    .option(
      "--wait <seconds>",
      `wait at most so long for other work on the machine to end (default: ${defaultWaitSeconds})`,
      parseInteger,
    )
    .option(
      "--limit <mode=limit>",
      "judge this instead of claims: stream=5%, streamAsync=40us",
      appendLimit,
    )
    .option("--enforce", "exit with 1 if a claim is refuted, 2 if one is undecided")
    .option("--verbose", "print every table before the answer")
    .addOption(
      new Option("--json", "print the answer as JSON, and nothing else").conflicts("verbose"),
    )
    .addOption(
      new Option("--quiet", "print errors only; the exit code is the verdict").conflicts([
        "verbose",
        "json",
      ]),
    );
  addEndpointFlags(command);
  addFleetFlags(command);
  for (const { flag, description } of profileFlags) command.option(flag, description);
  const { presets, scenarios } = describeChoices();
  return command
    .addHelpText(
      "after",
      `
Profiles:
  ${presets.join("\n  ")}

Scenarios:
  ${scenarios.join("\n  ")}

Exit codes: 0 done, 1 an error or a failed measurement, 130 interrupted; see also --enforce.
The first Ctrl-C ends the run after the current generation and keeps what is done; --resume
measures the rest.

Examples:
  $ streamgauge bench
  $ streamgauge bench --scenario model --tokens 100 --blocks 12
  $ streamgauge bench --profile standard --time-budget 30 --out results/mine
  $ streamgauge bench --model hub:owner/name --dtype q4
  $ streamgauge bench --resume results/mine
  $ streamgauge bench --profile standard --fleet redis://10.0.0.5 --agents 3
  ${endpointExamples.join("\n  ")}
  $ streamgauge bench my-engine.bench.js --limit stream=5% --limit streamAsync=40us --enforce`,
    )
    .action(async (modules: string[], flags: BenchFlags) => {
      const fleet = fleetOf(flags);
      const options = await optionsOf(modules, flags);
      const showing = {
        enforce: flags.enforce === true || flags.quiet === true,
        verbosity: verbosityOf(flags),
        modules,
        endpointArguments: endpointArguments(flags),
      };
      process.exitCode = await (fleet === undefined
        ? benchInTerminal(options, showing)
        : fleetInTerminal(options, fleet, showing));
    });
}

async function optionsOf(modules: readonly string[], flags: BenchFlags): Promise<BenchOptions> {
  const { resume, claims, limit, wait = defaultWaitSeconds } = flags;
  if (claims !== undefined && limit !== undefined) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      "--claims and --limit both say what to judge: give one of them.",
    );
  }
  const endpoint = await endpointOf(flags);
  const profiles = profileFlags.filter(({ name }) => name in flags).map(({ kind }) => kind);
  const selection: Selection = {
    scenarios: flags.scenario,
    tokens: flags.tokens,
    blocks: flags.blocks,
    model: endpoint === undefined ? flags.model : undefined,
    dtype: flags.dtype,
    timeBudgetMinutes: flags.timeBudget,
    profiles: profiles.length > 0 ? profiles : undefined,
  };
  const plan = {
    ...selection,
    preset: flags.profile,
    seed: flags.seed,
    outputFolder: flags.out,
  };
  const given = [...Object.values(plan), flags.model, ...fixedByRecord(flags)].some(
    (value) => value !== undefined,
  );
  if (resume !== undefined && given) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      "--resume goes on with the plan of that run: leave out the flags that would change it.",
    );
  }
  return {
    ...plan,
    resume,
    endpoint,
    waitSeconds: wait,
    modules: modules.map((path) => pathToFileURL(resolve(path)).href),
    claims: claims === undefined ? limit : await readClaimList(claims),
  };
}

function verbosityOf({ verbose, json, quiet }: BenchFlags): Verbosity {
  if (quiet === true) return "quiet";
  if (json === true) return "json";
  return verbose === true ? "verbose" : "answer";
}

/** How a run is shown, what its exit code is, and what the command that goes on is given. */
export interface Showing extends GivenToBench {
  /** Whether verdicts are the exit code. */
  readonly enforce: boolean;
  readonly verbosity: Verbosity;
}

/** Runs the bench with a progress display, signals and a summary. Returns the exit code. */
export async function benchInTerminal(options: BenchOptions, showing: Showing): Promise<number> {
  const { verbosity, enforce } = showing;
  const { record, path } = await interruptible(
    {
      whatFollows: "Finishing the current generation",
      describe: describeProgress,
      isQuiet: verbosity === "quiet",
    },
    (watch) => runBench({ ...options, ...watch }),
  );
  process.stdout.write(outcomeText(record, path, showing));
  return exitCodeOf(record, enforce);
}

function outcomeText(
  record: ResultRecord,
  recordPath: string,
  { verbosity, ...given }: Omit<Showing, "enforce">,
): string {
  if (verbosity === "quiet") return "";
  const summary = summarize(record, placeOf(recordPath, given));
  if (verbosity === "json") return `${printableJson(JSON.stringify(summary, null, 2))}\n`;
  const shown = outputLook();
  const tables = verbosity === "verbose" ? renderSummary(record, { ...shown, recordPath }) : "";
  return `${tables}\n${answerLines(summary, shown).join("\n")}\n`;
}

function appendInteger(text: string, previous: number[] | undefined): number[] {
  return [...(previous ?? []), parseInteger(text)];
}
