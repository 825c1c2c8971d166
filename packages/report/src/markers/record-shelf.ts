import { basename, dirname } from "node:path";
import type { ResultRecord } from "@streamgauge/bench/record";
import type { FoundRecord } from "../files/find-record.js";
import { UnavailableFigureError } from "./figure.js";

/** The records that markers may quote. */
export interface RecordShelf {
  /** What the report is made from; markers mean it unless they say otherwise. */
  readonly report: FoundRecord;
  /** The committed ones, the newest first. */
  readonly others: readonly FoundRecord[];
}

/** Opens a value of `from=` that means another record than the report's. */
const otherPrefix = "other:";

/**
 * The record that `from=` names: nothing is the report's own; the name of a record's folder is that
 * record. Anything else is a part (a scenario, a kind of profile, `calibration`, the preset that was run
 * such as `quick`, …), and means the report's record if it has that part, otherwise the newest that does; `engine` means the newest in
 * any case, as in `BENCHMARKS.md`, because the engine is measured in runs of its own. `other:` before
 * a part means the newest record that has it and is not the report's: a second run to compare with.
 *
 * @throws UnavailableFigureError when none has it
 */
export function findOnShelf({ report, others }: RecordShelf, from: string): FoundRecord {
  if (from === "") return report;
  const isOther = from.startsWith(otherPrefix);
  const part = isOther ? from.slice(otherPrefix.length) : from;
  const beside = others.filter(({ path }) => dirname(path) !== dirname(report.path));
  const all = isOther ? beside : [report, ...beside];
  const byAge =
    part === "engine"
      ? all.toSorted((one, other) => (other.record.startedAt < one.record.startedAt ? -1 : 1))
      : all;
  const found =
    all.find(({ path }) => basename(dirname(path)) === from) ??
    byAge.find(({ record }) => partsOf(record).has(part));
  if (found !== undefined) return found;
  throw new UnavailableFigureError(
    `from=${from} is no record beside ${report.path}, and no record has it as a part. Parts: ` +
      `${[...new Set(all.flatMap(({ record }) => [...partsOf(record)]))].toSorted().join(", ")}.`,
  );
}

/** Whether a record on the shelf has a part, or is called so. */
export function isOnShelf({ report, others }: RecordShelf, from: string): boolean {
  return [report, ...others].some(
    ({ path, record }) => basename(dirname(path)) === from || partsOf(record).has(from),
  );
}

/** What a record has, by the names that `from=` takes. */
function partsOf(record: ResultRecord): ReadonlySet<string> {
  const { engine = [], transports = [], profiles = [], calibration = [] } = record;
  const { arrivals = [], aborts = [], slowConsumers = [], stacks = [] } = record;
  const named = { calibration, arrivals, aborts, "slow-consumers": slowConsumers, stacks };
  return new Set([
    record.profile,
    ...[...record.cells, ...transports, ...engine].map(({ scenario }) => scenario),
    ...profiles.map(({ findings }) => findings.kind),
    ...(engine.length > 0 ? ["engine"] : []),
    ...(record.mainThread.length > 0 ? ["main-thread"] : []),
    ...Object.entries(named).flatMap(([name, { length }]) => (length > 0 ? [name] : [])),
  ]);
}
