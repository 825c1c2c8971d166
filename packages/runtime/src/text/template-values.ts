import type { ContentMarks } from "./content-marks.js";
import { Environment, type Value } from "./jinja.js";

/** A JavaScript value as one that templates see. Functions are called with JavaScript values. */
export function toValue(value: unknown): Value {
  return new Environment().set("value", value);
}

/** An array of values that are templates' already. */
export function toArray(elements: readonly Value[]): Value {
  return Object.assign(toValue([]), { value: elements });
}

export const undefinedValue: Value = toValue(undefined);

/** A value as Python's `str` spells it; arrays and objects as the library does. */
export function spell(value: Value): string {
  switch (value.type) {
    case "NullValue":
      return "None";
    case "UndefinedValue":
      return "";
    case "BooleanValue":
      return value.value === true ? "True" : "False";
    default:
      return value.toString();
  }
}

/**
 * Whether two values are equal in Python. JavaScript's `==`, which the library
 * uses, takes "" and 0, "1" and 1, or nothing and undefined for the same.
 *
 * @param onCompare called before each pair
 */
export function areEqual(left: Value, right: Value, onCompare: () => void): boolean {
  onCompare();
  const [a, b]: [unknown, unknown] = [left.value, right.value];
  if (isNumeric(a) && isNumeric(b)) return Number(a) === Number(b);
  if (left.type !== right.type) return false;
  if (Array.isArray(a) && Array.isArray(b)) {
    const [theirs, others] = [a as Value[], b as Value[]];
    return (
      theirs.length === others.length &&
      theirs.every((element, i) => areEqual(element, others[i] ?? undefinedValue, onCompare))
    );
  }
  if (a instanceof Map && b instanceof Map) {
    const [theirs, others] = [a as Map<string, Value>, b as Map<string, Value>];
    return (
      theirs.size === others.size &&
      [...theirs].every(([key, element]) => {
        const other = others.get(key);
        return other !== undefined && areEqual(element, other, onCompare);
      })
    );
  }
  return a === b;
}

function isNumeric(value: unknown): boolean {
  return typeof value === "number" || typeof value === "boolean";
}

/** Python's `strip`, with the characters to take off where they are given. */
export function strip(text: string, sides: "both" | "left" | "right", characters?: string): string {
  if (characters === undefined) {
    if (sides === "both") return text.trim();
    return sides === "left" ? text.trimStart() : text.trimEnd();
  }
  const unwanted = new Set(characters);
  let start = 0;
  let end = text.length;
  if (sides !== "right") {
    while (start < end && unwanted.has(characterAt(text, start))) {
      start += characterAt(text, start).length;
    }
  }
  if (sides !== "left") {
    while (start < end && unwanted.has(characterBefore(text, end))) {
      end -= characterBefore(text, end).length;
    }
  }
  return text.slice(start, end);
}

function characterAt(text: string, index: number): string {
  return String.fromCodePoint(text.codePointAt(index) ?? 0);
}

function characterBefore(text: string, end: number): string {
  const last = characterAt(text, Math.max(0, end - 2));
  return last.length === 2 ? last : text.slice(end - 1, end);
}

/** How often a text occurs in another, as Python's `count` and `replace` see it. */
export function occurrences(text: string, piece: string): number {
  if (piece === "") return text.length + 1;
  let count = 0;
  for (let at = text.indexOf(piece); at >= 0; at = text.indexOf(piece, at + piece.length)) count++;
  return count;
}

/** As many as Jinja's own sandbox lets `range` make. */
const longestRange = 100_000;

/** Python's `range`, no longer than Jinja's sandbox allows. */
export function range(first: number, second?: number, step = 1): number[] {
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new Error("range() has a step of zero");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= longestRange)) throw new Error(`range() is longer than ${longestRange}`);
  return Array.from({ length }, (_, i) => start + i * step);
}

const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];

/** Today as Python's `strftime` writes it, in English whatever the machine speaks. */
export function strftimeNow(format: string, now: Date = new Date()): string {
  const month = months[now.getMonth()] ?? "";
  const fields: Record<string, string | number> = {
    Y: now.getFullYear(),
    m: twoDigits(now.getMonth() + 1),
    d: twoDigits(now.getDate()),
    b: month.slice(0, 3),
    B: month,
    H: twoDigits(now.getHours()),
    M: twoDigits(now.getMinutes()),
    S: twoDigits(now.getSeconds()),
    "%": "%",
  };
  return format.replace(/%(.)/g, (whole, letter: string) => String(fields[letter] ?? whole));
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

/** Python's remainder, which has the sign of the divisor. @throws Error for a divisor of zero */
export function remainder(a: number, b: number): number {
  if (b === 0) throw new Error("the remainder of a division by zero");
  return a - b * Math.floor(a / b);
}

/** An attribute by its path, such as `function.name`. */
export function attributeOf(element: Value, path: Value | undefined): Value {
  let value = element;
  for (const name of spell(path ?? undefinedValue).split(".")) {
    const fields: unknown = value.value;
    value =
      (fields instanceof Map ? (fields.get(name) as Value | undefined) : undefined) ??
      undefinedValue;
  }
  return value;
}

type Method = (args: Value[], environment: Environment) => Value;

/** Python's `split` and `replace` of a text that has marks where what is sought has none. */
export function callWithMarks(
  method: Method,
  text: string,
  [sought, ...others]: readonly Value[],
  environment: Environment,
  marks: ContentMarks,
): Value {
  if (typeof sought?.value !== "string") {
    return method(sought === undefined ? [] : [sought, ...others], environment);
  }
  const made = method([toValue(marks.search(text, sought.value)), ...others], environment);
  const { value } = made;
  if (!Array.isArray(value)) return made;
  // The mark before a separator is at the end of a piece now.
  const dropLast = (piece: Value): Value =>
    typeof piece.value === "string" ? toValue(marks.dropLast(piece.value)) : piece;
  return toArray((value as Value[]).map(dropLast));
}
