import { messageOf } from "@streamgauge/core";
import { calibrate } from "../conclude/calibration.js";
import { compareEndpoints } from "../conclude/endpoint-comparison.js";
import { concludeEngine } from "../conclude/engine-analysis.js";
import { concludeTee } from "../conclude/tee-analysis.js";
import { compareMachines } from "../conclude/machine-comparison.js";
import { concludeTransports } from "../conclude/transport-analysis.js";
import { summarizeAgain } from "../measure/latency-histogram.js";
import { estimateCost } from "../profile/instrument-cost.js";
import { describeLoad, type ResultRecord } from "../record/index.js";
import type { LatencySummary } from "../record/distribution.js";
import { measurementDefinitions } from "../record/measurements.js";
import { firstDifference } from "../statistics/difference.js";
import {
  describeOther,
  findingOf,
  followsOlderRules,
  isExpected,
  type Finding,
} from "./agreement.js";

/** What is concluded of transports, from the blocks that the record itself holds. */
export function verifyTransports(record: ResultRecord): Finding {
  const { transports = [] } = record;
  if (followsOlderRules(record)) return findingOf(false, []);
  const problems = transports.flatMap((recorded) =>
    describeOther(`${recorded.scenario}, ${describeLoad(recorded)}`, recorded, () =>
      concludeTransports(recorded),
    ),
  );
  return findingOf(transports.length > 0, problems);
}

/** What is concluded of the engine's measurements, from the blocks that the record itself holds. */
export function verifyEngine(record: ResultRecord): Finding {
  const { engine = [] } = record;
  if (followsOlderRules(record)) return findingOf(false, []);
  const problems = engine.flatMap((recorded) =>
    describeOther(`${recorded.scenario}, ${recorded.id}`, recorded, () => concludeEngine(recorded)),
  );
  return findingOf(engine.length > 0, problems);
}

/** How two endpoints compare, from the blocks of their cells. */
export function verifyEndpoints({ endpoints, cells }: ResultRecord): Finding {
  const problems =
    endpoints === undefined
      ? []
      : describeOther("The endpoints", endpoints, () => compareEndpoints(cells));
  return findingOf(endpoints !== undefined, problems);
}

/**
 * What the machines of a run say together, from the blocks of its cells.
 *
 * @param hasBlocks whether every cell has its own
 */
export function verifyMachines(record: ResultRecord, hasBlocks: boolean): Finding {
  const { machines = [], machineComparisons: recorded = [] } = record;
  // What is wrong with the blocks is said elsewhere.
  if (!hasBlocks) return findingOf(false, []);
  const problems = describeOther("The machines", recorded, () => compareMachines(record));
  return findingOf(machines.length > 1, problems);
}

/** What instruments cost, from the times of the runs with them and without. */
export function verifyProfiles({ profiles = [], version }: ResultRecord): Finding {
  const problems = profiles.flatMap(({ cost, findings, generator, treatment, tokens }) => {
    const place = `The ${findings.kind} profile of ${generator}, ${treatment}`;
    const { runs } = cost;
    if (runs !== undefined) {
      return describeOther(`${place}, its cost`, cost, () => estimateCost(runs, tokens));
    }
    return version === 3 ? [] : [`${place} has no runs that its cost follows from.`];
  });
  const without = profiles.filter(({ cost }) => cost.runs === undefined).length;
  const notes =
    without > 0 && version === 3
      ? [
          `${without} profiles were made before records kept their runs: their costs are not checked.`,
        ]
      : [];
  return findingOf(profiles.length > without, problems, notes);
}

/**
 * What follows from other numbers of the record: latencies from their histograms, the split streams
 * and rates from their runs, and the calibration from the cells.
 *
 * @param hasAllCells that none of the cells' blocks are lost
 */
export function verifyOthers(record: ResultRecord, hasAllCells: boolean): Finding {
  const { tee = [], arrivals = [], mainThread, cells, calibration, status } = record;
  const latencies = Object.keys(measurementDefinitions).flatMap((field) =>
    latenciesIn((record as unknown as Readonly<Record<string, unknown>>)[field], field),
  );
  const told = latencies.filter(({ latency }) => latency.histogram !== "");
  const problems = [
    ...told.flatMap(({ place, latency }) => describeOtherLatency(place, latency)),
    ...tee.flatMap(({ generator, ways, tokens }) =>
      describeOther(`tee, ${generator}`, ways, () => concludeTee(ways, tokens)),
    ),
    ...arrivals.flatMap((measured, index) =>
      describeOther(`arrivals[${index}]`, measured, () => ({
        ...measured,
        completionsPerSecond: measured.generations / (measured.durationNanoseconds / 1e9),
      })),
    ),
    ...mainThread.flatMap((measured, index) =>
      describeOther(`mainThread[${index}]`, measured, () => ({
        ...measured,
        throughputTokensPerSecond:
          (measured.tokens * measured.generations) / (measured.durationNanoseconds / 1e9),
      })),
    ),
    // It is made when the run ends.
    ...(hasAllCells && status !== "running" && !followsOlderRules(record)
      ? describeOther("calibration", calibration ?? [], () => calibrate(cells))
      : []),
  ];
  const silent = latencies.length - told.length;
  const notes =
    silent > 0 ? [`${silent} latencies have no histogram that they could be held against.`] : [];
  return findingOf(told.length + tee.length > 0, problems, notes);
}

interface PlacedLatency {
  readonly place: string;
  readonly latency: LatencySummary;
}

/** Wherever a measurement keeps a distribution of times. */
function latenciesIn(value: unknown, place: string): PlacedLatency[] {
  if (typeof value !== "object" || value === null) return [];
  if (isLatency(value)) return [{ place, latency: value }];
  return Object.entries(value).flatMap(([key, inner]) =>
    latenciesIn(inner, Array.isArray(value) ? `${place}[${key}]` : `${place}.${key}`),
  );
}

function isLatency(value: object): value is LatencySummary {
  return "histogram" in value && "p50Nanoseconds" in value;
}

/** Fields beside those of a summary are not the histogram's. */
function describeOtherLatency(place: string, latency: LatencySummary): string[] {
  try {
    const again = { ...latency, ...summarizeAgain(latency) };
    const other = firstDifference(latency, again, place, "by its histogram");
    return other === undefined ? [] : [`${other}.`];
  } catch (error) {
    if (!isExpected(error)) throw error;
    return [`${place}: ${messageOf(error)}`];
  }
}
