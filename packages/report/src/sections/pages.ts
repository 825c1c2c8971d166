import type { ResultRecord } from "@streamgauge/bench/record";
import { parts, type PartName, type PartPage, type Table } from "@streamgauge/bench/tables";
import type { CommittedResults } from "../files/committed-results.js";
import { generatedByReport } from "../files/own-files.js";
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

/** What a page is written from. */
interface Source {
  readonly record: ResultRecord;
  readonly committed: CommittedResults;
  /** Where its charts are. */
  readonly charts: string;
  readonly write: (table: Table) => string;
}

interface Subject {
  readonly about: string;
  readonly sections: (source: Source) => readonly string[];
}

/** Parts whose tables a document does not just write one after the other. */
const ownSections: Partial<Readonly<Record<PartName, Subject["sections"]>>> = {
  transports: ({ record }) => transports(record),
  engine: ({ record, committed }) => engine(record, committed),
  profiles: ({ record }) => profiles(record),
};

/** The parts that stand on a page, in the order of the record's parts. */
function partsOn(page: PartPage): Subject["sections"] {
  const names = Object.keys(parts) as PartName[];
  return (source) =>
    names
      .filter((name) => parts[name].page === page)
      .flatMap(
        (name) =>
          ownSections[name]?.(source) ?? parts[name].groups(source.record).flat().map(source.write),
      );
}

/** By the names of their files. */
const subjects: Readonly<Record<PartPage | "charts" | "machine", Subject>> = {
  verdicts: {
    about: "every claim with its reasons, the control, known delays",
    sections: partsOn("verdicts"),
  },
  costs: {
    about: "cost per token, slow runs, throughput of every cell",
    sections: partsOn("costs"),
  },
  latencies: {
    about: "time to first token, inter-token and delivery latency",
    sections: partsOn("latencies"),
  },
  loads: {
    about: "the main thread, arrivals at a set rate, aborts, slow consumers",
    sections: partsOn("loads"),
  },
  transports: {
    about: "ring, postMessage, comlink and streams between two threads",
    sections: partsOn("transports"),
  },
  stacks: {
    about: "what libraries cost that carry a stream, and how that grows",
    sections: partsOn("stacks"),
  },
  engine: { about: "the engine against others, with the terms", sections: partsOn("engine") },
  profiles: {
    about: "CPU, memory, allocations, the ledger of a token",
    sections: partsOn("profiles"),
  },
  charts: {
    about: "all charts of the record, and of the history",
    sections: ({ record, committed, charts }) => [
      pictures(record, charts),
      history(committed, charts),
    ],
  },
  machine: {
    about: "machine and versions, raw samples, the gate on identical code",
    sections: ({ record, committed }) => [
      machine(record),
      rawSamples(record),
      gateTrials(committed),
    ],
  },
};

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
  return Object.entries(subjects).flatMap(([subject, { about, sections }]) => {
    const explained = new Set<string>();
    const write = (table: Table) => tableSection(record, table, { explained });
    const texts = sections({ record, committed, charts, write }).filter((text) => text !== "");
    if (texts.length === 0) return [];
    const name = `${subject}.md`;
    const title = `# ${escapeMarkdown(about.charAt(0).toUpperCase() + about.slice(1))}`;
    return [
      {
        name,
        about,
        text: `${[title, generatedByReport, introduction(record), ...texts].join("\n\n")}\n`,
      },
    ];
  });
}
