import type { ResultRecord } from "@streamgauge/bench/record";
import { codeBlock, escapeMarkdown, list, table } from "../text/markdown-text.js";
import { duration, mebibytes, percent } from "../text/numbers.js";

/** What the record was measured on, and with. */
export function machine({ environment, instrument, generators }: ResultRecord): string {
  const rows = [
    ["CPU", `${environment.cpuModel}, ${environment.logicalCores} logical cores`],
    ["CPU governor", environment.cpuGovernor ?? "unknown"],
    ["memory", mebibytes(environment.memoryBytes)],
    ["operating system", environment.operatingSystem],
    ...(environment.busyCoresBefore === undefined
      ? []
      : [["busy cores before", environment.busyCoresBefore.toFixed(2)]]),
    ["load before (1, 5, 15 min)", showLoad(environment.loadAverageBefore)],
    ["load after", showLoad(environment.loadAverageAfter)],
    ...showTheft(environment.stolenCpuFraction),
    ...showCourse(environment.course),
    ["Node.js", `${environment.nodeVersion}, V8 ${environment.v8Version}`],
    ...Object.entries(environment.packages).map(([name, version]) => [name, version ?? "unknown"]),
    ["commit", showCommit(environment.git)],
    [
      "clock",
      `${instrument.clock}: resolution ${instrument.clockResolutionNanoseconds} ns, ` +
        `one reading ${instrument.clockReadNanoseconds} ns`,
    ],
    ["recording one token", `${instrument.recordingNanoseconds} ns, part of streaming's cost`],
    ...generators.map(({ id, openNanoseconds }) => [`loading ${id}`, duration(openNanoseconds)]),
  ];
  const parts = ["## Machine and versions", table(["", ""], rows)];
  if (environment.advice.length > 0) {
    parts.push("For a quieter measurement:", list(environment.advice));
  }
  return parts.join("\n\n");
}

/** The machine, its Node.js and the commit, in one paragraph. */
export function machineInBrief(record: ResultRecord): string {
  const { environment } = record;
  return [
    "## Machine",
    escapeMarkdown(
      `${machineInWords(record)}; ${mebibytes(environment.memoryBytes)} of memory, ` +
        `${showBusyness(environment)} before the run. Commit ${showCommit(environment.git)}.`,
    ),
  ].join("\n\n");
}

/** The machine and its Node.js in a few words. */
export function machineInWords({ environment }: Pick<ResultRecord, "environment">): string {
  const { cpuModel, logicalCores, operatingSystem, nodeVersion } = environment;
  return `${cpuModel}, ${logicalCores} logical cores, ${operatingSystem}, Node.js ${nodeVersion}`;
}

/** Older records have a load average alone, which remembers what ended minutes ago. */
function showBusyness({ busyCoresBefore, loadAverageBefore }: ResultRecord["environment"]): string {
  const [load = 0] = loadAverageBefore;
  return busyCoresBefore === undefined
    ? `load ${load.toFixed(2)}`
    : `${busyCoresBefore.toFixed(2)} busy cores`;
}

function showTheft(fraction: number | null): string[][] {
  const share = fraction === null ? "unknown" : `${(fraction * 100).toFixed(1)} %`;
  return [["CPU time stolen by other guests", share]];
}

/** The busiest moments, before the run and in it; no row before version 3. */
function showCourse(course: ResultRecord["environment"]["course"] = []): string[][] {
  const [before, ...during] = course;
  if (before === undefined || during.length === 0) return [];
  const highest = (values: readonly number[]): number => Math.max(...values);
  const stolen = (samples: typeof course): string =>
    percent(highest(samples.map(({ stolenCpuFraction }) => stolenCpuFraction ?? 0)));
  return [
    ["load during (1 min), highest", highest(during.map((at) => at.loadAverage)).toFixed(2)],
    [
      "CPU time stolen just before; highest between two cells",
      `${stolen([before])}; ${stolen(during)}`,
    ],
  ];
}

/** The commit that was measured. */
export function showCommit(git: ResultRecord["environment"]["git"]): string {
  if (git === null) return "unknown";
  return git.dirty ? `${git.commit}, with uncommitted changes` : git.commit;
}

/** The commands that make such a record again. */
export function reproduction({ environment, profile, seed }: ResultRecord): string {
  const checkout =
    environment.git === null ? [] : [`git checkout ${shellWord(environment.git.commit)}`];
  const command = profile === "calibration" ? "calibrate" : `bench --profile ${shellWord(profile)}`;
  return [
    "## Reproduce",
    codeBlock([
      ...checkout,
      "pnpm turbo build build:model",
      `pnpm streamgauge ${command} --seed ${seed}`,
      "pnpm report",
    ]),
  ].join("\n\n");
}

function showLoad(averages: readonly number[] | null): string {
  return averages?.map((average) => average.toFixed(2)).join(", ") ?? "–";
}

/** A record can come from anywhere, and readers paste commands. */
function shellWord(text: string): string {
  return /^[\w.-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
