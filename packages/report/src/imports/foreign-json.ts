import { InvalidImportError } from "./foreign-result.js";

/** Values of a file, and of which of its lines each is. */
export interface ForeignJson {
  readonly values: readonly unknown[];
  /** Whether each line is a value of its own. */
  readonly isLines: boolean;
}

/**
 * The JSON in a file of another tool: one value, or one on each line. Python writes
 * `NaN`, `Infinity` and `-Infinity` bare: `NaN` is read as null, because it stands where
 * there was nothing to compute, the others as infinite numbers.
 *
 * @throws InvalidImportError naming the line that is damaged
 */
export function parseForeignJson(text: string): ForeignJson {
  const clean = text.replace(/^\uFEFF/, "");
  const whole = parse(clean);
  if ("value" in whole) return { values: [whole.value], isLines: false };
  const lines = clean.split("\n").map((line, index) => ({ line, number: index + 1 }));
  const full = lines.filter(({ line }) => line.trim() !== "");
  const values: unknown[] = [];
  for (const { line, number } of full) {
    const parsed = parse(line);
    if ("value" in parsed) values.push(parsed.value);
    else if (values.some(isJsonObject)) {
      const isLast = number === full.at(-1)?.number;
      throw new InvalidImportError(
        `Line ${number} of ${full.length} is no JSON: it is ${isLast ? "cut" : "damaged"}. ` +
          `Remove that line to read the others.`,
      );
    } else break;
  }
  if (values.length === full.length && full.length > 0) return { values, isLines: true };
  if (/^\s*[[{]/.test(clean)) {
    throw new InvalidImportError(
      `This JSON is cut or damaged${placeOf(whole.error, clean)}. Give the file as the tool wrote it.`,
    );
  }
  return { values: [], isLines: false };
}

/** Whether a JSON value is an object, and no array. */
export function isJsonObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

type Parsed = { readonly value: unknown } | { readonly error: string };

function parse(text: string): Parsed {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const standard = withoutBareNumbers(text);
    if (standard !== text) return parse(standard);
    return { error: error instanceof Error ? error.message : "" };
  }
}

const standardFor = new Map([
  ["NaN", "null"],
  // As large as this, a number is read as infinite.
  ["Infinity", "1e999"],
]);

/** JSON without the numbers that only Python writes; what stands in strings stays. */
function withoutBareNumbers(text: string): string {
  const token = /"|NaN|Infinity/g;
  const pieces: string[] = [];
  let from = 0;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    const standard = standardFor.get(found[0]);
    if (standard === undefined) {
      token.lastIndex = endOfString(text, found.index);
    } else {
      pieces.push(text.slice(from, found.index), standard);
      from = token.lastIndex;
    }
  }
  return pieces.length === 0 ? text : pieces.join("") + text.slice(from);
}

/** Where the string that begins at an index has ended; the end of the text where it is cut. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text[before] === "\\") before -= 1;
    if ((end - before) % 2 === 1) return end + 1;
  }
  return text.length;
}

/** In words, after "damaged": the line that the parser names, or that it is the last. */
function placeOf(error: string, text: string): string {
  const position = /at position (\d+)/.exec(error)?.[1];
  const before = position === undefined ? text : text.slice(0, Number(position));
  return ` in line ${before.trimEnd().split("\n").length}`;
}
