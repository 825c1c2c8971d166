import type { ResultRecord } from "@streamgauge/bench/record";
import {
  aborts,
  arrivals,
  calibration,
  controls,
  costs,
  cpu,
  latencies,
  mainThread,
  memory,
  slowConsumers,
  tails,
  throughput,
  verdicts,
  type Table,
} from "@streamgauge/bench/tables";
import { tableSection } from "./section.js";
import type { CommittedResults } from "../files/committed-results.js";
import { engine } from "./engine.js";
import { gateTrials } from "./gate-trials.js";
import { history } from "./history.js";
import { introduction } from "./introduction.js";
import { machine, reproduction } from "./machine.js";
import { pictures } from "./pictures.js";
import { profiles } from "./profiles.js";
import { rawSamples } from "./raw-samples.js";
import { transports } from "./transports.js";

/**
/**
 * Renders a record as the document of its benchmarks, with what was committed beside
 * it. Every number and verdict is theirs; the same of them gives the same bytes.
 *
 * @param analysis path of a document that says what the numbers mean, for a link to it
 */
export function renderBenchmarks(
  record: ResultRecord,
  analysis?: string,
  committed: CommittedResults = {},
): string {
  const explained = new Set<string>();
  const write = (table: Table): string => tableSection(record, table, { explained });
  const sections = [
    introduction(record),
    analysis === undefined ? "" : `[What follows from these numbers](${encodeURI(analysis)}).`,
    ...verdicts(record).map(write),
    pictures(record),
    history(committed),
    write(costs(record)),
    write(tails(record)),
    write(calibration(record)),
    write(throughput(record)),
    ...latencies(record).map(write),
    write(mainThread(record)),
    write(arrivals(record)),
    write(aborts(record)),
    write(slowConsumers(record)),
    ...transports(record),
    ...engine(record, committed),
    write(cpu(record)),
    write(memory(record)),
    ...profiles(record),
    gateTrials(committed),
    write(controls(record)),
    machine(record),
    rawSamples(record),
    reproduction(record),
  ];
  return `${sections.filter((part) => part !== "").join("\n\n")}\n`;
}
