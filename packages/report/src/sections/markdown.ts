import type { ResultRecord } from "@streamgauge/bench/record";
import { costs, tails } from "@streamgauge/bench/tables";
import { tableSection } from "./section.js";
import { calibration } from "./calibration.js";
import type { CommittedResults } from "../files/committed-results.js";
import { controls } from "./controls.js";
import { cpu } from "./cpu.js";
import { engine } from "./engine.js";
import { gateTrials } from "./gate-trials.js";
import { history } from "./history.js";
import { introduction } from "./introduction.js";
import { latencies } from "./latencies.js";
import { aborts, arrivals, slowConsumers } from "./loads.js";
import { machine, reproduction } from "./machine.js";
import { mainThread } from "./main-thread.js";
import { memory } from "./memory.js";
import { pictures } from "./pictures.js";
import { profiles } from "./profiles.js";
import { rawSamples } from "./raw-samples.js";
import { throughput } from "./throughput.js";
import { transports } from "./transports.js";
import { costVerdicts, differenceVerdicts, verdicts } from "./verdicts.js";

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
  const sections = [
    introduction(record),
    analysis === undefined ? "" : `[What follows from these numbers](${encodeURI(analysis)}).`,
    verdicts(record),
    costVerdicts(record),
    differenceVerdicts(record),
    pictures(record),
    history(committed),
    tableSection(record, costs(record)),
    tableSection(record, tails(record)),
    calibration(record),
    throughput(record),
    latencies(record),
    mainThread(record),
    arrivals(record),
    aborts(record),
    slowConsumers(record),
    ...transports(record),
    ...engine(record, committed),
    cpu(record),
    memory(record),
    ...profiles(record),
    gateTrials(committed),
    controls(record),
    machine(record),
    rawSamples(record),
    reproduction(record),
  ];
  return `${sections.filter((part) => part !== "").join("\n\n")}\n`;
}
