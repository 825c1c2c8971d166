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
import type { CommittedResults } from "../files/committed-results.js";
import { escapeMarkdown } from "../text/markdown-text.js";
import { engine } from "./engine.js";
import { gateTrials } from "./gate-trials.js";
import { history } from "./history.js";
import { introduction } from "./introduction.js";
import { machine } from "./machine.js";
import { pictures } from "./pictures.js";
import { profiles } from "./profiles.js";
import { rawSamples } from "./raw-samples.js";
import { tableSection } from "./section.js";
import { transports } from "./transports.js";

/** One subject of a record in full: every table, with the definitions of its numbers. */
export interface Page {
  /** Of its file. */
  readonly name: string;
  /** What it has, in a few words. */
  readonly about: string;
  readonly text: string;
}

type Writer = (table: Table) => string;

interface Subject {
  readonly name: string;
  readonly about: string;
  readonly sections: (
    record: ResultRecord,
    write: Writer,
    committed: CommittedResults,
    charts: string,
  ) => readonly string[];
}

const subjects: readonly Subject[] = [
  {
    name: "verdicts.md",
    about: "every claim with its reasons, the control, known delays",
    sections: (record, write) => [
      ...verdicts(record).map(write),
      write(controls(record)),
      write(calibration(record)),
    ],
  },
  {
    name: "costs.md",
    about: "cost per token, slow runs, throughput of every cell",
    sections: (record, write) => [
      write(costs(record)),
      write(tails(record)),
      write(throughput(record)),
    ],
  },
  {
    name: "latencies.md",
    about: "time to first token, inter-token and delivery latency",
    sections: (record, write) => latencies(record).map(write),
  },
  {
    name: "loads.md",
    about: "the main thread, arrivals at a set rate, aborts, slow consumers",
    sections: (record, write) => [
      write(mainThread(record)),
      write(arrivals(record)),
      write(aborts(record)),
      write(slowConsumers(record)),
    ],
  },
  {
    name: "transports.md",
    about: "ring, postMessage, comlink and streams between two threads",
    sections: (record) => transports(record),
  },
  {
    name: "engine.md",
    about: "the engine against others, with the terms",
    sections: (record, _write, committed) => engine(record, committed),
  },
  {
    name: "profiles.md",
    about: "CPU, memory, allocations, the ledger of a token",
    sections: (record, write) => [write(cpu(record)), write(memory(record)), ...profiles(record)],
  },
  {
    name: "charts.md",
    about: "all charts of the record, and of the history",
    sections: (record, _write, committed, charts) => [
      pictures(record, charts),
      history(committed, charts),
    ],
  },
  {
    name: "machine.md",
    about: "machine and versions, raw samples, the gate on identical code",
    sections: (record, _write, committed) => [
      machine(record),
      rawSamples(record),
      gateTrials(committed),
    ],
  },
];

/**
 * Renders all that a record says, a page for each subject it has something of. The same record
 * gives the same bytes.
 *
 * @param committed what was committed beside it
 * @param charts where its charts are, relative to the folder of the pages
 */
export function renderPages(
  record: ResultRecord,
  committed: CommittedResults = {},
  charts = "../../../docs/charts",
): Page[] {
  return subjects.flatMap(({ name, about, sections }) => {
    const explained = new Set<string>();
    const write: Writer = (table) => tableSection(record, table, { explained });
    const parts = sections(record, write, committed, charts).filter((part) => part !== "");
    if (parts.length === 0) return [];
    const title = `# ${escapeMarkdown(about.charAt(0).toUpperCase() + about.slice(1))}`;
    return [{ name, about, text: `${[title, introduction(record), ...parts].join("\n\n")}\n` }];
  });
}
