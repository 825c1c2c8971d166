/**
 * Markers: HTML comments around what `pnpm report` writes into documents that
 * people write.
 *
 * - In a line: `costs <!-- sg:overhead cell=a mode=stream -->4.3 %<!-- /sg --> here`.
 * - A block: the opening and the closing comment alone on their lines, and what is
 *   between them is the record's. In a doc comment each line keeps its `*`.
 *
 * A value with blanks stands in quotes: `transport="ring, block"`. A marker in a
 * line must not begin it: Markdown takes a line that begins with a comment for HTML.
 *
 * @module
 */

/** A marker of a document. */
export interface Marker {
  /** Which figure it asks for. */
  readonly name: string;
  readonly values: ReadonlyMap<string, string>;
  /** The opening comment as it is written. */
  readonly opening: string;
  /** From 1. */
  readonly line: number;
  readonly form: "inline" | "block";
  /** What each line of a block begins with. */
  readonly prefix: string;
  /** Offsets of what is between the comments. */
  readonly start: number;
  readonly end: number;
}

/** A marker that cannot be filled. */
export interface MarkerProblem {
  readonly line: number;
  /** As it is written. */
  readonly marker: string;
  /** What is wrong, and the remedy. */
  readonly message: string;
}

const comment = /<!--\s*(\/sg|sg:[^>]*?)\s*-->/g;
const values = /\s+([\w-]+)=(?:"([^"]*)"|([^\s"]+))/gy;

/** The markers of a document in their order, and those that are no markers for some reason. */
export function parseMarkers(text: string): {
  readonly markers: readonly Marker[];
  readonly problems: readonly MarkerProblem[];
} {
  const markers: Marker[] = [];
  const problems: MarkerProblem[] = [];
  // "refused": an opening that is reported already, whose closing is no news.
  let open: Omit<Marker, "end"> | "refused" | undefined;
  const report = (line: number, marker: string, message: string): void => {
    problems.push({ line, marker, message });
  };
  const reportUnclosed = (): void => {
    if (typeof open === "object") {
      report(open.line, open.opening, "It is not closed: write <!-- /sg --> behind it.");
    }
  };
  for (const match of text.matchAll(comment)) {
    const [written, content = ""] = match;
    const line = lineOf(text, match.index);
    if (content.startsWith("/sg")) {
      if (open === undefined) {
        report(line, written, "It closes nothing: write its opening comment, or delete it.");
      } else if (open !== "refused") markers.push({ ...open, end: match.index });
      open = undefined;
      continue;
    }
    reportUnclosed();
    open = "refused";
    const parsed = parseContent(content);
    const start = match.index + written.length;
    const place = placeOf(text, match.index, start);
    if (parsed === undefined) {
      report(
        line,
        written,
        'Write it as <!-- sg:name key=value other="two words" -->, each key once.',
      );
    } else if (place === undefined) {
      report(
        line,
        written,
        "It begins a line, which Markdown takes for HTML then: put a word before it.",
      );
    } else open = { ...parsed, ...place, opening: written, line, start };
  }
  reportUnclosed();
  return { markers, problems };
}

function parseContent(content: string): Pick<Marker, "name" | "values"> | undefined {
  const name = /^sg:([a-z][\w-]*)/.exec(content);
  if (name === null) return undefined;
  const found = new Map<string, string>();
  values.lastIndex = name[0].length;
  let end = values.lastIndex;
  for (let match = values.exec(content); match !== null; match = values.exec(content)) {
    const [, key = "", quoted, bare = ""] = match;
    if (found.has(key)) return undefined;
    found.set(key, quoted ?? bare);
    end = values.lastIndex;
  }
  return end === content.length ? { name: name[1] ?? "", values: found } : undefined;
}

/** Whether a marker has its line for itself; undefined where it begins one that goes on. */
function placeOf(
  text: string,
  from: number,
  to: number,
): Pick<Marker, "form" | "prefix"> | undefined {
  const before = text.slice(text.lastIndexOf("\n", from - 1) + 1, from);
  if (!/^[\s>]*(?:[-+*]|\d+[.)])?[\s>]*$/.test(before)) return { form: "inline", prefix: "" };
  const after = text.slice(to, (text.indexOf("\n", to) + 1 || text.length + 1) - 1);
  const isAlone = after.trim() === "" && /^[\s>]*\*?\s*$/.test(before);
  return isAlone ? { form: "block", prefix: before } : undefined;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
