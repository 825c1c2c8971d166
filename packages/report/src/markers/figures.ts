import { escapeMarkdown } from "../text/markdown-text.js";
import { UnavailableFigureError, type Figure, type FigureRequest } from "./figure.js";
import { blockFigures } from "./figures/block-figures.js";
import { cellFigures } from "./figures/cell-figures.js";
import { claimFigures } from "./figures/claim-figures.js";
import { engineFigures } from "./figures/engine-figures.js";
import { noteFigures } from "./figures/performance-note.js";
import { profileFigures } from "./figures/profile-figures.js";
import { rangeFigures } from "./figures/range-figures.js";
import { runFigures } from "./figures/run-figures.js";
import { stackFigures } from "./figures/stack-figures.js";
import { transportFigures } from "./figures/transport-figures.js";
import type { Marker } from "./marker-syntax.js";
import { findOnShelf, isOnShelf, type RecordShelf } from "./record-shelf.js";

/** Everything that a marker can ask for, by its name. */
export const figures: ReadonlyMap<string, Figure> = new Map(
  Object.entries({
    ...claimFigures,
    ...cellFigures,
    ...rangeFigures,
    ...profileFigures,
    ...transportFigures,
    ...stackFigures,
    ...engineFigures,
    ...runFigures,
    ...blockFigures,
    ...noteFigures,
  }),
);

/**
 * What a marker asks for, as Markdown.
 *
 * @throws UnavailableFigureError where there is no such figure, or the record lacks it
 */
export function renderMarker(
  marker: Marker,
  shelf: RecordShelf,
  { link, chart }: Pick<FigureRequest, "link" | "chart">,
): string {
  const { name, values } = marker;
  const figure = figures.get(name);
  if (figure === undefined) {
    throw new UnavailableFigureError(
      `There is no figure "${name}": \`pnpm report figures\` lists those there are.`,
    );
  }
  checkValues(marker, figure);
  const from = values.get("from") ?? "";
  const { untilMeasured } = figure;
  if (untilMeasured !== undefined && from !== "" && !isOnShelf(shelf, from)) return untilMeasured;
  const found = findOnShelf(shelf, from);
  const rendered = figure.render({ ...found, value: (key) => values.get(key) ?? "", link, chart });
  return figure.form === "text" ? escapeMarkdown(rendered) : rendered;
}

/** A line for each figure: its name, what a marker gives it, and what it is. */
export function describeFigures(): string {
  return [...figures]
    .map(([name, { about, form, needs, takes = [] }]) => {
      const values = [...needs.map((key) => `${key}=`), ...takes.map((key) => `[${key}=]`)];
      return `${[name, ...values].join(" ")}\n    ${form === "block" ? "block: " : ""}${about}\n`;
    })
    .join("");
}

function checkValues({ name, values, form: written }: Marker, figure: Figure): void {
  const { form, needs, takes = [] } = figure;
  const known = [...needs, ...takes, "from"];
  const missing = needs.filter((key) => !values.has(key));
  const unknown = [...values.keys()].filter((key) => !known.includes(key));
  if (missing.length > 0 || unknown.length > 0) {
    throw new UnavailableFigureError(
      `The figure ${name} takes ${known.map((key) => `${key}=`).join(", ")}` +
        (missing.length > 0 ? `; ${missing.join(", ")} is missing` : "") +
        (unknown.length > 0 ? `; ${unknown.join(", ")} is unknown` : "") +
        ".",
    );
  }
  if ((form === "block") !== (written === "block")) {
    throw new UnavailableFigureError(
      form === "block"
        ? `The figure ${name} is a block: give its comments lines of their own.`
        : `The figure ${name} belongs into a line of text, behind a word.`,
    );
  }
}
