import { widestClaims, type Cell, type Treatment } from "@streamgauge/bench/record";
import { comparisonOf, inUnitOf } from "@streamgauge/bench/tables";
import { machineInWords } from "../../sections/machine.js";
import { escapeMarkdown } from "../../text/markdown-text.js";
import { percentWithInterval } from "../../text/numbers.js";
import { lacks, type Figure, type FigureRequest } from "../figure.js";
import { modeOf } from "./cell-figures.js";
import { listOf, verdictsClause } from "./claim-figures.js";
import { rangeOf } from "./range-figures.js";

const scenario = "model";

/** What a doc comment of a mode says of its speed. */
export const noteFigures: Readonly<Record<string, Figure>> = {
  "performance-note": {
    about: "for the doc comment of a mode: what it was measured to cost",
    form: "block",
    needs: ["mode"],
    render: (request) => {
      const mode = modeOf(request);
      const cells = request.record.cells.filter(
        (cell) => cell.scenario === scenario && cell.analysis !== null,
      );
      const [first] = cells;
      if (first === undefined) return lacks(request, `analysed cell of scenario ${scenario}`);
      const { record } = request;
      const sentences = [
        `Measured on ${record.startedAt.slice(0, 10)} (profile ${record.profile}, ` +
          `${machineInWords(record)}) with ${first.model}, ${first.host}:`,
        ...(mode === "generate" ? aboutGenerate(cells) : aboutStreaming(request, mode, cells)),
      ];
      const pointer = "`docs/STREAMING_PERFORMANCE.md` says what that depends on.";
      return wrap(`${escapeMarkdown(sentences.join(" "))} ${pointer}`);
    },
  },
};

function aboutGenerate(cells: readonly Cell[]): string[] {
  const speeds = each(cells, ({ analysis }) => {
    const found = analysis?.treatments.find(({ treatment }) => treatment === "generate");
    return found && `${found.throughputTokensPerSecond.toFixed(0)} tokens/s`;
  });
  const controls = each(cells, (cell) => {
    const control = comparisonOf(cell, "control");
    return control && percentWithInterval(control.overhead.hodgesLehmann);
  });
  return [
    `${speeds}.`,
    `It is what streaming is compared with; against itself it differs by ${controls}.`,
  ];
}

function aboutStreaming(
  request: FigureRequest,
  mode: Exclude<Treatment, "generate">,
  cells: readonly Cell[],
): string[] {
  const overheads = each(cells, (cell) => {
    const found = comparisonOf(cell, mode);
    return found && percentWithInterval(found.overhead.hodgesLehmann);
  });
  const claims = widestClaims(request.record.claims).filter(
    ({ metric, treatment, cell }) =>
      metric === "overhead" && treatment === mode && cells.some(({ id }) => id === cell),
  );
  const [claim] = claims;
  return [
    `it takes longer than generate() by ${overheads}; per token by ` +
      `${rangeOf(cells, "cost", [mode]) ?? "–"}.`,
    ...(claim === undefined
      ? []
      : [`Less than ${inUnitOf(claim, claim.limit)} is ${verdictsClause(request, claims)}.`]),
  ];
}

/** "5.3 % at 10 tokens, 8.9 % at 50 and 9.8 % at 100". */
function each(cells: readonly Cell[], show: (cell: Cell) => string | undefined): string {
  const shown = cells.flatMap((cell) => {
    const text = show(cell);
    return text === undefined ? [] : [{ text, tokens: cell.tokens }];
  });
  return listOf(
    shown.map(({ text, tokens }, index) => `${text} at ${tokens}${index === 0 ? " tokens" : ""}`),
  );
}

const lineLength = 90;

/** Lines that are short enough for a comment. No word begins one that would begin a list or a heading there. */
function wrap(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    const stays = /^(?:[#+=-]+|\d+[.)])$/.test(word);
    if (last !== undefined && (stays || last.length + 1 + word.length <= lineLength)) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines.join("\n");
}
