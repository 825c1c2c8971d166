import { randomInt } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { isatty } from "node:tty";
import { printable } from "@streamgauge/core";
import { systemClock } from "../plan/clock.js";
import { interruptOnSignals } from "../terminal/interruption.js";
import { createProgressDisplay } from "../terminal/progress-display.js";
import { renderGateMarkdown } from "./gate-markdown.js";
import type { GateReport } from "./gate-report.js";
import { renderGate } from "./gate-summary.js";
import { renderTrial, summarizeTrial } from "./gate-trial.js";
import {
  defaultSizes,
  defaultStepMicroseconds,
  gateWork,
  ownWork,
  type GateEngine,
  type GateWork,
} from "./gate-work.js";
import type { GateOptions, GateProgress } from "./gate-options.js";
import { runGate } from "./run-gate.js";
import { runSelfTest } from "./self-test.js";
import { openSideProcess } from "./side-process.js";
import { trialJson } from "./trial-file.js";
import { exitCodeOfGate } from "./verdict.js";
import { gateRepository, ownRepository, prepareVersion, type Version } from "./version.js";

/** Flags of the `gate` command, parsed, and without contradictions. */
export interface GateFlags {
  readonly base?: string;
  readonly head?: string;
  readonly engine?: GateEngine;
  readonly module?: string;
  readonly scenario?: string;
  readonly tokens?: number;
  readonly build?: string;
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

/**
 * Makes the versions ready, gates them or tries the gate on them, and prints how it
 * came out. Nothing of the versions is left behind.
 *
 * @returns the exit code
 */
export async function gateInTerminal(flags: GateFlags): Promise<number> {
  const interruption = interruptOnSignals("Finishing the current run and cleaning up");
  const { signal } = interruption;
  const versions: Version[] = [];
  try {
    const repository = flags.module === undefined ? gateRepository() : await ownRepository();
    const [base, head] = await prepareBoth(flags, repository, versions, signal);
    if (base === undefined || head === undefined) return 130;
    const seed = flags.seed ?? randomInt(2 ** 31);
    const work = workOf(flags, seed);
    const size = defaultSizes[work.engine];
    const options: GateOptions = {
      entryUrls: { base: base.entryUrl, head: head.entryUrl },
      work,
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

/** Tokens of a generation of a version's own generator, unless another number is asked for. */
const ownTokens = 32;

function workOf({ engine, step, module, scenario, tokens }: GateFlags, seed: number): GateWork {
  if (module === undefined) {
    return gateWork(engine ?? "paced", { seed, stepMicroseconds: step ?? defaultStepMicroseconds });
  }
  const own = { module, ...(scenario !== undefined && { scenario }) };
  return ownWork(own, { seed, tokens: tokens ?? ownTokens });
}

async function prepareBoth(
  { base: baseName, head: headName, selfTest: isSelfTest, module, build }: GateFlags,
  repository: string,
  made: Version[],
  signal: AbortSignal,
): Promise<readonly (Version | undefined)[]> {
  const first = baseName ?? repository;
  const second = isSelfTest === true ? first : (headName ?? repository);
  const prepare = async (name: string): Promise<Version | undefined> => {
    try {
      const version = await prepareVersion(name, {
        repository,
        own: module === undefined ? undefined : { module, buildScript: build },
        signal,
        onStep: (step) => process.stderr.write(`${printable(step)}…\n`),
      });
      made.push(version);
      return version;
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
  };
  const base = await prepare(first);
  if (base === undefined) return [];
  // Identical code is to be the very same files.
  return [base, first === second ? base : await prepare(second)];
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
  const outcomes = await withProgress((onProgress) =>
    runSelfTest(
      { ...options, onProgress },
      {
        runs,
        // After each, so that a long trial survives whatever ends it.
        onOutcome: async (soFar) => {
          if (json !== undefined) await writeFile(json, trialJson(soFar));
        },
      },
    ),
  );
  process.stdout.write(
    renderTrial(summarizeTrial(outcomes), { unicode: isatty(process.stdout.fd) }),
  );
  return options.signal?.aborted === true ? 130 : 0;
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
