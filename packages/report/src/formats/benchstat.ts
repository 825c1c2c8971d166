import { printable } from "@streamgauge/bench/tables";
import type { ResultRecord, Run } from "@streamgauge/bench/record";
import { slug } from "./exported-file.js";
import { measuredModes, modeKeys } from "./measured-modes.js";

/**
 * Text in Go's benchmark format, for `benchstat`: a line for each run of each
 * block, so that benchstat has the samples. Compare modes with
 * `benchstat -col /mode -row /cell`; it knows nothing of blocks, and its test is
 * weaker than the record's. The configuration names the machine and no run, because
 * benchstat compares only results of one configuration.
 */
export function renderBenchstat(record: ResultRecord): string {
  const { operatingSystem, cpuModel, nodeVersion } = record.environment;
  return [
    `os: ${oneLine(operatingSystem)}`,
    "pkg: streamgauge",
    `cpu: ${oneLine(cpuModel)}`,
    `node: ${oneLine(nodeVersion)}`,
    "",
    ...["ns/op", "ns/first-token", "ns/output-token", "cpu-µs/op"].map(
      (unit) => `Unit ${unit} better=lower`,
    ),
    "",
    ...measuredModes(record).flatMap(({ cell, treatment, runs }) => {
      // A name ends at the first blank, and a last part of digits would be read as GOMAXPROCS.
      const name = `BenchmarkStream/cell=${slug(cell.id)}/tokens=${cell.tokens}/mode=${modeKeys[treatment]}`;
      return runs.map((run) => `${name} 1 ${measurementsOf(run).join(" ")}`);
    }),
    "",
  ].join("\n");
}

function measurementsOf(run: Run): string[] {
  const { timeToFirstTokenNanoseconds: first, timePerOutputTokenNanoseconds: token } = run;
  return [
    `${run.endToEndNanoseconds} ns/op`,
    ...(first === null ? [] : [`${first} ns/first-token`]),
    ...(token === null ? [] : [`${token} ns/output-token`]),
    `${run.cpuMicroseconds} cpu-µs/op`,
  ];
}

function oneLine(text: string): string {
  return printable(text.replaceAll(/\s+/g, " ")).trim();
}
