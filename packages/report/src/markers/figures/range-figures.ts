import { treatments, type Cell, type Treatment } from "@streamgauge/bench/record";
import { comparisonOf } from "@streamgauge/bench/tables";
import { duration, percent } from "../../text/numbers.js";
import { lacks, oneOf, type Figure } from "../figure.js";
import { modeOf } from "./cell-figures.js";

interface Quantity {
  readonly of: (cell: Cell, mode: Treatment) => number | undefined;
  readonly show: (value: number) => string;
}

type QuantityName = "overhead" | "cost" | "token-time";

const quantities: Readonly<Record<QuantityName, Quantity>> = {
  overhead: {
    of: (cell, mode) => streamedIn(cell, mode)?.overhead.hodgesLehmann.value,
    show: percent,
  },
  cost: {
    of: (cell, mode) => streamedIn(cell, mode)?.costMicrosecondsPerToken.hodgesLehmann.value,
    show: (value) => `${value.toFixed(1)} µs`,
  },
  "token-time": {
    of: ({ analysis, tokens }, mode) => {
      const found = analysis?.treatments.find(({ treatment }) => treatment === mode);
      return found && found.endToEndNanoseconds / tokens;
    },
    show: duration,
  },
};

const names = Object.keys(quantities) as QuantityName[];

/** What the cells of a scenario have in common, from the least to the most. */
export const rangeFigures: Readonly<Record<string, Figure>> = {
  range: {
    about: `least and most of ${names.join(", ")} (of=) in a scenario's cells`,
    form: "text",
    needs: ["of", "scenario"],
    takes: ["mode", "generator"],
    render: (request) => {
      const scenario = request.value("scenario");
      const generator = request.value("generator");
      const modes = request.value("mode") === "" ? treatments : [modeOf(request)];
      const cells = request.record.cells
        .filter((cell) => cell.scenario === scenario)
        .filter((cell) => generator === "" || cell.generator === generator);
      const there = new Set(request.record.cells.map((cell) => cell.scenario));
      return (
        rangeOf(cells, oneOf(request, "of", names), modes) ??
        lacks(request, `such cell of scenario ${scenario}`, [...there])
      );
    },
  },
};

/** "42.0 µs to 56.3 µs"; undefined where no cell has it. */
export function rangeOf(
  cells: readonly Cell[],
  quantity: QuantityName,
  modes: readonly Treatment[],
): string | undefined {
  const { of, show } = quantities[quantity];
  const values = cells
    .flatMap((cell) => modes.map((mode) => of(cell, mode)))
    .filter((value) => value !== undefined)
    .toSorted((first, second) => first - second);
  const [least, most] = [values[0], values.at(-1)];
  if (least === undefined || most === undefined) return undefined;
  return show(least) === show(most) ? show(least) : `${show(least)} to ${show(most)}`;
}

/** The control is no cost of streaming. */
function streamedIn(cell: Cell, mode: Treatment): ReturnType<typeof comparisonOf> {
  return mode === "stream" || mode === "streamAsync" ? comparisonOf(cell, mode) : undefined;
}
