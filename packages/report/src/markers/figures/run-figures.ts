import { basename, dirname } from "node:path";
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
  calibration: ofRun("known delays that were recovered, of how many", (request) => {
    const { calibration: points = [] } = request.record;
    if (points.length === 0) lacks(request, "calibration");
    return `${points.filter(({ recovered }) => recovered).length} of ${points.length}`;
  }),
};

function ofRun(about: string, render: (request: FigureRequest) => string): Figure {
  return { about, form: "text", needs: [], render };
}
