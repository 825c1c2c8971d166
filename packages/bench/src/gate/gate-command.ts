import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { isatty } from "node:tty";
import { StreamgaugeError } from "@streamgauge/core";
import { Command, InvalidArgumentError, Option } from "commander";
import { parseInteger, parseMinutes } from "../bench-command.js";
import { systemClock } from "../clock.js";
import { interruptOnSignals } from "../interruption.js";
import { createProgressDisplay } from "../progress-display.js";
import { renderGateMarkdown } from "./gate-markdown.js";
import type { GateReport } from "./gate-report.js";
import { renderGate } from "./gate-summary.js";
import { renderTrial, summarizeTrial, trialSlowdowns } from "./gate-trial.js";
import {
  defaultSizes,
  defaultStepMicroseconds,
  gateEngines,
  gateWork,
  type GateEngine,
} from "./gate-work.js";
import { runGate, type GateOptions, type GateOutcome, type GateProgress } from "./run-gate.js";
import { openSideProcess } from "./side-process.js";
import { exitCodeOfGate } from "./verdict.js";
import { gateRepository, prepareVersion, type Version } from "./version.js";

/** Flags of the command line, parsed. */
interface GateFlags {
  readonly base?: string;
  readonly head?: string;
  readonly engine: GateEngine;
  readonly step?: number;
  readonly threshold: number;
  readonly seed?: number;
  readonly blocks?: number;
  readonly timeBudget?: number;
  readonly json?: string;
  readonly summary?: string;
  readonly injectSlowdown?: number;
  readonly selfTest?: true;
  readonly runs?: number;
}

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
      process.exitCode = await gateInTerminal(flags);
    });
}

async function gateInTerminal(flags: GateFlags): Promise<number> {
  refuseContradictions(flags);
  const interruption = interruptOnSignals("Finishing the current run and cleaning up");
  const { signal } = interruption;
  const versions: Version[] = [];
  try {
    const names = namesOf(flags);
    const [base, head] = await prepareBoth(names, versions, signal);
    if (base === undefined || head === undefined) return 130;
    const seed = flags.seed ?? randomInt(2 ** 31);
    const stepMicroseconds = flags.step ?? defaultStepMicroseconds;
    const size = defaultSizes[flags.engine];
    const options: GateOptions = {
      runtimeUrls: { base: base.runtimeUrl, head: head.runtimeUrl },
      work: gateWork(flags.engine, { seed, stepMicroseconds }),
      size: { ...size, blocks: flags.blocks ?? size.blocks },
      threshold: flags.threshold,
      seed,
      slowdown: flags.injectSlowdown ?? 0,
      timeBudgetSeconds: flags.timeBudget === undefined ? undefined : flags.timeBudget * 60,
      clock: systemClock,
      openSide: openSideProcess,
      signal,
    };
    return flags.selfTest === true
      ? await selfTest(options, flags)
      : await judgeOnce(options, flags, base, head);
  } finally {
    interruption.release();
    for (const version of versions) await version.dispose();
  }
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

function namesOf({ base, head, selfTest: isSelfTest }: GateFlags): readonly [string, string] {
  const here = gateRepository();
  const first = base ?? here;
  return [first, isSelfTest === true ? first : (head ?? here)];
}

async function prepareBoth(
  names: readonly [string, string],
  made: Version[],
  signal: AbortSignal,
): Promise<readonly (Version | undefined)[]> {
  const prepare = async (name: string): Promise<Version | undefined> => {
    try {
      const version = await prepareVersion(name, {
        repository: gateRepository(),
        signal,
        onStep: (step) => process.stderr.write(`${step}…\n`),
      });
      made.push(version);
      return version;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  };
  const base = await prepare(names[0]);
  if (base === undefined) return [];
  // Identical code is to be the very same files.
  return [base, names[0] === names[1] ? base : await prepare(names[1])];
}

async function judgeOnce(
  options: GateOptions,
  { json, summary }: GateFlags,
  base: Version,
  head: Version,
): Promise<number> {
  const outcome = await withProgress((onProgress) => runGate({ ...options, onProgress }));
  const report: GateReport = {
    schema: "streamgauge/gate",
    version: 1,
    base: { name: base.name, commit: base.commit },
    head: { name: head.name, commit: head.commit },
    outcome,
  };
  process.stdout.write(renderGate(report, { unicode: isatty(process.stdout.fd) }));
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report)}\n`);
  if (summary !== undefined) await writeFile(summary, renderGateMarkdown(report));
  return outcome.interrupted ? 130 : exitCodeOfGate(outcome.verdict);
}

/** Gates of a self-test, unless so many are asked for: what 5 % false alarms need. */
const defaultRuns = 40;

async function selfTest(
  options: GateOptions,
  { json, runs = defaultRuns }: GateFlags,
): Promise<number> {
  const outcomes: GateOutcome[] = [];
  const count = runs * trialSlowdowns.length;
  await withProgress(async (onProgress) => {
    for (let run = 0; run < count && options.signal?.aborted !== true; run += 1) {
      // Slowdowns take turns, so that a machine that changes changes for all of them.
      const slowdown = trialSlowdowns[run % trialSlowdowns.length] ?? 0;
      const outcome = await runGate({
        ...options,
        // Far apart: pairs count up from a gate's seed.
        seed: (options.seed + run * 1009) % 2 ** 31,
        slowdown,
        onProgress: ({ fractionDone }) =>
          onProgress({
            subject: `gate ${run + 1} of ${count}`,
            fractionDone: (run + fractionDone) / count,
          }),
      });
      if (outcome.interrupted) break;
      outcomes.push(outcome);
      // After each, so that a long trial survives whatever ends it.
      if (json !== undefined) await writeFile(json, trialJson(outcomes));
    }
  });
  process.stdout.write(
    renderTrial(summarizeTrial(outcomes), { unicode: isatty(process.stdout.fd) }),
  );
  return options.signal?.aborted === true ? 130 : 0;
}

function trialJson(outcomes: readonly GateOutcome[]): string {
  const report = {
    schema: "streamgauge/gate-trial",
    version: 1,
    rows: summarizeTrial(outcomes),
    outcomes,
  };
  return `${JSON.stringify(report)}\n`;
}

async function withProgress<T>(
  work: (onProgress: (progress: GateProgress) => void) => Promise<T>,
): Promise<T> {
  const display = createProgressDisplay<GateProgress>(process.stderr, ({ subject }) => subject);
  try {
    return await work((progress) => display.update(progress));
  } finally {
    display.stop();
  }
}

function parsePercent(text: string): number {
  const percent = Number(text);
  if (!(percent > 0 && percent <= 100)) {
    throw new InvalidArgumentError("It must be a percentage above 0 and up to 100.");
  }
  return percent / 100;
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
