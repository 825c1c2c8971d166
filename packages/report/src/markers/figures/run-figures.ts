import { basename, dirname } from "node:path";
import { answerLines } from "@streamgauge/bench/answer";
import { summarize } from "@streamgauge/bench/summary";
import { machineInWords } from "../../sections/machine.js";
import { escapeMarkdown } from "../../text/markdown-text.js";
import { lacks, type Figure, type FigureRequest } from "../figure.js";

/** Which run it was, and on what. */
export const runFigures: Readonly<Record<string, Figure>> = {
  date: ofRun("day of the run", ({ record }) => record.startedAt.slice(0, 10)),
  profile: ofRun("profile of the run", ({ record }) => record.profile),
  machine: ofRun("CPU, cores, system and Node.js", ({ record }) => machineInWords(record)),
  stolen: ofRun("CPU time that other guests took", ({ record }) => {
    const { stolenCpuFraction: share } = record.environment;
    return share === null ? "an unknown share" : `${(share * 100).toFixed(1)} %`;
  }),
  "recording-cost": ofRun("time to record one token", ({ record }) => {
    return `${record.instrument.recordingNanoseconds} ns`;
  }),
  record: {
    about: "link to the folder of the record",
    form: "link",
    needs: [],
    render: ({ path, link }) => {
      const folder = dirname(path);
      return `[${escapeMarkdown(basename(folder))}](${link(folder)})`;
    },
  },
  answer: {
    about: "what the terminal says at the end of the run, 120 columns wide",
    form: "block",
    needs: [],
    untilMeasured: "No committed record has it yet.",
    render: ({ record, path }) => {
      const folder = `results/${basename(dirname(path))}`;
      const summary = summarize(record, {
        recordPath: `${folder}/${basename(path)}`,
        folder,
        benchCommand: "pnpm streamgauge",
        reportCommand: "pnpm report",
      });
      return fenced(answerLines(summary, { color: false, unicode: true, width: 120 }));
    },
  },
  calibration: ofRun("known delays that were recovered, of how many", (request) => {
    const { calibration: points = [] } = request.record;
    if (points.length === 0) lacks(request, "calibration");
    return `${points.filter(({ recovered }) => recovered).length} of ${points.length}`;
  }),
};

/** Lines as they are, whatever is in them; only comments are none, because one could end the marker. */
function fenced(lines: readonly string[]): string {
  const ticks = lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(Math.max(2, ...ticks) + 1);
  const shown = lines.map((line) => line.replaceAll("<!--", "<! --"));
  return [`${fence}text`, ...shown, fence].join("\n");
}

function ofRun(about: string, render: (request: FigureRequest) => string): Figure {
  return { about, form: "text", needs: [], render };
}
