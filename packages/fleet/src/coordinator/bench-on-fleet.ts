import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { runBench, type BenchOptions } from "@streamgauge/bench";
import { locateRecordFile, readRecordFile } from "@streamgauge/bench/record-file";
import {
  defaultOutputFolder,
  requireWhatCrossesMachines,
  watchEnvironment,
  type BenchOnFleet,
  type ClassOutcome,
  type FleetOutcome,
  type FleetProgress,
  type FleetTarget,
} from "@streamgauge/bench/parts";
import { isStreamgaugeError, messageOf, StreamgaugeError } from "@streamgauge/core";
import { buildOf } from "../machines/machine-class.js";
import { hashModules } from "../machines/modules.js";
import type { AgentNotice } from "../messages/agent-notice.js";
import { connect } from "../redis/connection.js";
import { keysOf } from "../redis/keys.js";
import { parseRedisAddress } from "../redis/redis-address.js";
import { within } from "../redis/within.js";
import { Announcement } from "./announcement.js";
import { ClassParts } from "./class-parts.js";
import { waitForAgents, waitForClass, type Search } from "./find-classes.js";
import { readFleetFile, requireNewFolder, writeFleetFile, type FleetFile } from "./fleet-file.js";
import { usualTimings, type CoordinatorTimings } from "./timings.js";

/** What a run on many machines is given. */
type FleetBenchOptions = Omit<BenchOptions, "onProgress" | "elsewhere">;

/** How a coordinator is started; tests give timings of their own. */
export interface CoordinatorOptions extends FleetTarget {
  readonly onProgress?: (progress: FleetProgress) => void;
  readonly timings?: Partial<CoordinatorTimings> | undefined;
}

/** All that the classes of a run have in common. */
interface Coordination {
  readonly options: FleetBenchOptions;
  readonly search: Search;
  readonly timings: CoordinatorTimings;
  readonly ifLost: "wait" | "go-on";
  readonly announcement: Announcement;
  readonly folder: string;
  readonly file: FleetFile;
  readonly report: (machineClass: string, subject: string) => void;
}

/**
 * Runs the bench on the agents that are there: each class of machines measures the whole plan, and has
 * a record of its own. Agents that come later help where their class is in the run.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for what cannot cross to other machines; `REDIS_FAILED`;
 *   `PART_FAILED` and others where no class measured anything
 */
export const benchOnFleet: BenchOnFleet = async (options, target) =>
  await coordinate(options, target);

/** The same, with timings. */
export async function coordinate(
  options: FleetBenchOptions,
  target: CoordinatorOptions,
): Promise<FleetOutcome> {
  requireWhatCrossesMachines(options);
  const { onProgress = () => undefined, agents = 1, ifLost = "wait" } = target;
  const timings = { ...usualTimings, ...target.timings };
  const keys = keysOf(target.prefix);
  const modules = [...(await hashModules(options.modules ?? [])).keys()];
  const build = buildOf((await watchEnvironment()).environment);
  const redis = await connect(parseRedisAddress(target.redis));
  const announcement = new Announcement(redis, keys, timings.checkMilliseconds);
  const subjects = new Map<string, string>();
  const report = (machineClass: string, subject: string): void => {
    subjects.set(machineClass, subject);
    const { fractionDone } = announcement.progress;
    onProgress({ subject: [...subjects.values()].join("; "), fractionDone });
  };
  const search: Search = {
    redis,
    keys,
    build,
    modules,
    pollMilliseconds: timings.pollMilliseconds,
    signal: options.signal,
    report: (subject) => onProgress({ subject, fractionDone: 0 }),
  };
  try {
    const { folder, file, firsts } = await plan(options, agents, search);
    const run = { options, search, timings, ifLost, announcement, folder, file, report };
    await announcement.begin();
    const settled = await Promise.allSettled(
      file.classes.map(async ({ machineClass }) =>
        measureClass(run, machineClass, firsts.get(machineClass)),
      ),
    );
    return { folder, ...outcomesOf(settled) };
  } finally {
    await within(2000, announcement.end()).catch(() => undefined);
    redis.disconnect();
  }
}

/** Which classes measure what: those that are there, or those of the run that is resumed. */
async function plan(
  options: FleetBenchOptions,
  agents: number,
  search: Search,
): Promise<{
  readonly folder: string;
  readonly file: FleetFile;
  readonly firsts: ReadonlyMap<string, AgentNotice>;
}> {
  if (options.resume !== undefined) {
    const file = await readFleetFile(options.resume);
    return { folder: options.resume, file, firsts: new Map() };
  }
  const startedAt = new Date().toISOString();
  const folder =
    options.outputFolder ?? defaultOutputFolder(`fleet-${startedAt.replaceAll(":", "-")}`);
  await requireNewFolder(folder);
  const found = await waitForAgents(agents, search);
  const { scenarios = null, tokens = null, blocks = null, model = null } = options;
  const { timeBudgetMinutes = null, profiles = null, seed = randomInt(2 ** 32) } = options;
  const file: FleetFile = {
    format: "streamgauge/fleet",
    version: 1,
    startedAt,
    preset: typeof options.preset === "string" ? options.preset : null,
    seed,
    selection: {
      // Those that are objects are refused before.
      scenarios: scenarios?.filter((scenario) => typeof scenario === "string") ?? null,
      tokens,
      blocks,
      model,
      timeBudgetMinutes,
      profiles,
    },
    classes: found.map(({ machineClass, label }) => ({ machineClass, label })),
  };
  // Without a class there is nothing to go on with.
  if (found.length > 0) await writeFleetFile(folder, file);
  return { folder, file, firsts: new Map(found.map((agent) => [agent.machineClass, agent])) };
}

async function measureClass(
  run: Coordination,
  machineClass: string,
  known: AgentNotice | undefined,
): Promise<ClassOutcome> {
  const { file, folder, search, timings, ifLost } = run;
  const { label = machineClass } =
    file.classes.find((each) => each.machineClass === machineClass) ?? {};
  const path = join(folder, machineClass);
  const before = hasRecord(path) ? await readRecordFile(path) : undefined;
  if (before?.status === "complete") {
    const whole = { record: before, path: await locateRecordFile(path) };
    return { label, machineClass, ...whole, missing: [] };
  }
  const patience = ifLost === "go-on" ? timings.lostMilliseconds : Infinity;
  const first = known ?? (await waitForClass(machineClass, patience, search));
  if (first === undefined) throw lost(label, machineClass);
  const parts = new ClassParts({
    ...search,
    first,
    waitSeconds: run.options.waitSeconds ?? 0,
    ifLost,
    timings,
  });
  try {
    const outcome = await runBench(optionsOf(run, path, parts, label, machineClass));
    return { label, machineClass, ...outcome, missing: missingOf(parts) };
  } catch (error) {
    // What was measured is in a record all the same, once there is one.
    if (!isStreamgaugeError(error) || !hasRecord(path)) throw error;
    const record = await readRecordFile(path);
    const missing = [error.message, ...missingOf(parts)];
    return { label, machineClass, record, path: await locateRecordFile(path), missing };
  } finally {
    await parts.close();
  }
}

function optionsOf(
  { options, file, announcement, report }: Coordination,
  path: string,
  elsewhere: ClassParts,
  label: string,
  machineClass: string,
): BenchOptions {
  const { modules, claims, signal } = options;
  const onProgress: BenchOptions["onProgress"] = ({ subject, block: done, blocks: parts }) => {
    announcement.set({ machineClass, label, parts, done });
    report(machineClass, `${label}: ${done} of ${parts} parts, ${subject}`);
  };
  const common = { modules, claims, signal, elsewhere, onProgress };
  if (hasRecord(path)) return { ...common, resume: path };
  const { preset, seed, selection } = file;
  return {
    ...common,
    ...selection,
    profiles: selection.profiles ?? undefined,
    preset: preset ?? undefined,
    seed,
    outputFolder: path,
  };
}

function hasRecord(folder: string): boolean {
  return ["record.json", "record.json.gz"].some((name) => existsSync(join(folder, name)));
}

function missingOf({ gone }: ClassParts): string[] {
  if (gone.length === 0) return [];
  return [`${gone.join(", ")} went away.`];
}

function lost(label: string, machineClass: string): StreamgaugeError {
  return new StreamgaugeError(
    "MACHINES_LOST",
    `No agent of ${label} (${machineClass}) came back. Start one there, and run the bench again ` +
      `with --fleet and --resume.`,
  );
}

/** @throws what a class threw, where no class has a record */
function outcomesOf(
  settled: readonly PromiseSettledResult<ClassOutcome>[],
): Pick<FleetOutcome, "classes" | "missing"> {
  const classes = settled.filter((each) => each.status === "fulfilled").map(({ value }) => value);
  const failures = settled
    .filter((each) => each.status === "rejected")
    .map(({ reason }) => reason as unknown);
  // A mistake of ours is not something that is missing.
  const thrown = failures.find((reason) => classes.length === 0 || !isStreamgaugeError(reason));
  if (thrown !== undefined) throw thrown;
  return { classes, missing: failures.map(messageOf) };
}
