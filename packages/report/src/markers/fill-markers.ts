import { parseMarkers, type Marker, type MarkerProblem } from "./marker-syntax.js";
import { UnavailableFigureError } from "./figure.js";

/** A document, with what the records say between its markers. */
export interface Filled {
  readonly text: string;
  /** Markers whose text was another. */
  readonly stale: readonly StaleMarker[];
  /** Markers that could not be filled; their text is left as it was. */
  readonly problems: readonly MarkerProblem[];
}

export interface StaleMarker {
  readonly line: number;
  readonly marker: string;
  readonly actual: string;
  readonly expected: string;
}

/**
 * Writes between the markers of a document what they ask for, and changes nothing
 * else. Filling what is filled gives the same bytes.
 *
 * @param render may throw an {@link UnavailableFigureError}: a problem of its marker
 */
export function fillMarkers(text: string, render: (marker: Marker) => string): Filled {
  const { markers, problems: malformed } = parseMarkers(text);
  const problems = [...malformed];
  const stale: StaleMarker[] = [];
  let filled = "";
  let done = 0;
  for (const marker of markers) {
    const { start, end, line, opening } = marker;
    const actual = text.slice(start, end);
    let expected = actual;
    try {
      expected = contentOf(marker, inert(render(marker)));
    } catch (error) {
      if (!(error instanceof UnavailableFigureError)) throw error;
      problems.push({ line, marker: opening, message: error.message });
    }
    if (actual !== expected) stale.push({ line, marker: opening, actual, expected });
    filled += text.slice(done, start) + expected;
    done = end;
  }
  return {
    text: filled + text.slice(done),
    stale,
    problems: problems.toSorted((first, second) => first.line - second.line),
  };
}

/** A block is set off by empty lines, as the formatter wants it and Markdown needs it. */
function contentOf({ form, prefix }: Marker, rendered: string): string {
  if (form === "inline") return rendered;
  const lines = ["", "", ...rendered.split("\n"), "", ""];
  const last = lines.length - 1;
  return lines
    .map((line, index) => {
      if (index === 0) return "";
      return index === last ? prefix : `${prefix}${line}`.trimEnd();
    })
    .join("\n");
}

/**
 * What escaping for Markdown leaves: the end of a doc comment, the beginning of a
 * tag or a mention, and characters that hide others.
 */
function inert(markdown: string): string {
  return markdown
    .replaceAll(/[^\P{C}\n]/gu, "")
    .replaceAll("*/", "*&#47;")
    .replaceAll("@", "&#64;");
}
