import { resolve } from "node:path";
import { isatty } from "node:tty";
import { pathToFileURL } from "node:url";
import { StreamgaugeError } from "@streamgauge/core";
import { Command, Option } from "commander";
import type { Claim } from "../conclude/claims.js";
import { readClaims } from "../conclude/claims-file.js";
import {
  addEndpointFlags,
  endpointExamples,
  endpointOf,
  fixedByRecord,
  type EndpointFlags,
} from "./endpoint-flags.js";
import { interruptible } from "./in-terminal.js";
import { appendLimit } from "./limits.js";
import { parseInteger, parseMinutes } from "./option-values.js";
import { describeProgress } from "../terminal/progress-display.js";
import { describeChoices, presetNames } from "../run/presets.js";
import { claimsOf, type ResultRecord } from "../record/index.js";
import type { Selection } from "../plan/selection.js";
import type { BenchOptions } from "../run/bench-options.js";
import { runBench } from "../run/run-bench.js";
import { profileFlags } from "../scenarios/profiled.js";
import { renderSummary } from "../terminal/summary.js";

interface BenchFlags extends Pick<Selection, "tokens" | "blocks">, EndpointFlags {
  readonly profile?: string;
  readonly scenario?: string[];
  readonly seed?: number;
  readonly timeBudget?: number;
  readonly out?: string;
  readonly resume?: string;
  readonly claims?: string;
  readonly limit?: readonly Claim[];
  readonly enforce?: true;
}

/** The `bench` command of the command line. */
export function benchCommand(): Command {
  const command = new Command("bench")
    .description("Measure what streaming tokens costs, and hold the claims against it.")
    .argument("[modules...]", "JavaScript modules that export scenarios over your own generators")
    .addOption(
      new Option("--profile <name>", "how thoroughly, and what (default: quick)").choices(
        presetNames,
      ),
    )
    .option("--scenario <name...>", "these scenarios instead of the profile's own")
    .option(
      "--model <name>",
      "15M, 42M or 135M with random weights, a model folder, or with --url the server's",
    )
    .option("--tokens <count...>", "only cells of these token counts", appendInteger)
    .option("--seed <integer>", "seed of the block orders (default: drawn)", parseInteger)
    .option("--blocks <count>", "blocks of each cell and process", parseInteger)
    .option("--time-budget <minutes>", "fewer blocks where it would take longer", parseMinutes)
    .option("--out <folder>", "where record.json and raw/ go (default: results/local/<run id>)")
    .option("--resume <folder>", "go on with the interrupted run in this folder")
    .option("--claims <file>", "hold these claims against it (default: the shipped claims.json)")
    .option("--limit <mode=limit>", "instead: stream=5%, streamAsync=40us", appendLimit)
    .option("--enforce", "exit with 1 when a claim is refuted, 2 when one is not shown");
  addEndpointFlags(command);
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

Exit codes: 0 done, 1 an error or something that failed, 130 interrupted; see also --enforce.
The first Ctrl-C ends the run after the current generation and keeps what is done; --resume
measures the rest.

Examples:
  $ streamgauge bench
  $ streamgauge bench --scenario model --tokens 100 --blocks 12
  $ streamgauge bench --profile standard --time-budget 30 --out results/mine
  $ streamgauge bench --resume results/mine
  ${endpointExamples.join("\n  ")}
  $ streamgauge bench my-engine.bench.js --limit stream=5% --limit streamAsync=40us --enforce`,
    )
    .action(async (modules: string[], flags: BenchFlags) => {
      process.exitCode = await benchInTerminal(
        await optionsOf(modules, flags),
        flags.enforce === true,
      );
    });
}

async function optionsOf(modules: readonly string[], flags: BenchFlags): Promise<BenchOptions> {
  const { resume, claims, limit } = flags;
  if (claims !== undefined && limit !== undefined) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      "--claims and --limit both say what to hold against the run: give one of them.",
    );
  }
  const endpoint = await endpointOf(flags);
  const profiles = profileFlags.filter(({ name }) => name in flags).map(({ kind }) => kind);
  const selection: Selection = {
    scenarios: flags.scenario,
    tokens: flags.tokens,
    blocks: flags.blocks,
    model: endpoint === undefined ? flags.model : undefined,
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
      "--resume goes on with the plan of the run that it names: leave out what would change it.",
    );
  }
  return {
    ...plan,
    resume,
    endpoint,
    modules: modules.map((path) => pathToFileURL(resolve(path)).href),
    claims: claims === undefined ? limit : await readClaims(claims),
  };
}

/** Runs the bench with a progress display, signals and a summary. Returns the exit code. */
export async function benchInTerminal(options: BenchOptions, enforce: boolean): Promise<number> {
  const { record, path } = await interruptible(
    { whatFollows: "Finishing the current generation", describe: describeProgress },
    (watch) => runBench({ ...options, ...watch }),
  );
  // Not `isTTY`: it is undefined in a pipe, which picocolors takes as "guess".
  const isTerminal = isatty(process.stdout.fd);
  process.stdout.write(
    renderSummary(record, {
      color: isTerminal && !process.env["NO_COLOR"],
      unicode: isTerminal,
      recordPath: path,
    }),
  );
  return exitCodeOf(record, enforce);
}

/** The exit code that a finished run stands for. */
export function exitCodeOf(record: ResultRecord, enforce: boolean): number {
  if (record.status === "interrupted") return 130;
  if (record.cells.some(({ status }) => status === "failed")) return 1;
  if ((record.failedMeasurements ?? []).length > 0) return 1;
  if (!enforce) return 0;
  const verdicts = claimsOf(record).map(({ verdict }) => verdict);
  if (verdicts.includes("refuted")) return 1;
  return verdicts.length > 0 && verdicts.every((verdict) => verdict === "upheld") ? 0 : 2;
}

function appendInteger(text: string, previous: number[] | undefined): number[] {
  return [...(previous ?? []), parseInteger(text)];
}
