/**
 * What one option may be. A check is a type guard, so that a table of options
 * holds it against the type of the option, and the words that follow "it must be".
 */
export interface OptionCheck<Value> {
  readonly accepts: (value: unknown) => value is Value;
  readonly expected: string;
}

/** True or false. */
export const booleanCheck: OptionCheck<boolean> = {
  accepts: (value) => typeof value === "boolean",
  expected: "true or false",
};

/** A string that is not empty. */
export const textCheck: OptionCheck<string> = {
  accepts: (value): value is string => typeof value === "string" && value !== "",
  expected: "a text that is not empty",
};

/** Something that can be called. What it takes and returns is for the compiler to check. */
export function functionCheck<
  Callable extends (...parameters: never[]) => unknown,
>(): OptionCheck<Callable> {
  return {
    accepts: (value): value is Callable => typeof value === "function",
    expected: "a function",
  };
}

/** An `AbortSignal`, told by its shape: it can come from another realm or a polyfill. */
export const signalCheck: OptionCheck<AbortSignal> = {
  accepts: (value): value is AbortSignal =>
    typeof value === "object" &&
    value !== null &&
    "aborted" in value &&
    "addEventListener" in value,
  expected: "an AbortSignal",
};

/**
 * An integer from `minimum` to `maximum`.
 *
 * @param maximum default: the largest integer that a number holds exactly
 */
export function integerCheck(minimum: number, maximum?: number): OptionCheck<number> {
  const limit = maximum ?? Number.MAX_SAFE_INTEGER;
  return {
    accepts: (value): value is number =>
      Number.isInteger(value) && (value as number) >= minimum && (value as number) <= limit,
    expected:
      maximum === undefined
        ? `an integer ≥ ${minimum}`
        : `an integer from ${minimum} to ${maximum}`,
  };
}

/** An integer from `minimum` on, or `Infinity` for no limit. */
export function countCheck(minimum: number): OptionCheck<number> {
  const { accepts, expected } = integerCheck(minimum);
  return {
    accepts: (value): value is number => value === Infinity || accepts(value),
    expected: `${expected}, or Infinity`,
  };
}

/** A number in a range. Give one lower end; without an upper one, any finite number above it. */
export function numberCheck(range: {
  /** The least that is accepted. */
  readonly from?: number;
  /** What the number has to be greater than. */
  readonly above?: number;
  /** The most that is accepted. */
  readonly to?: number;
}): OptionCheck<number> {
  const { from = -Infinity, above = -Infinity, to } = range;
  return {
    accepts: (value): value is number =>
      typeof value === "number" &&
      value >= from &&
      value > above &&
      (to === undefined ? value < Infinity : value <= to),
    expected: describeRange(range),
  };
}

function describeRange({ from, above, to }: Parameters<typeof numberCheck>[0]): string {
  if (to === undefined) {
    return above === undefined ? `a finite number ≥ ${from}` : `a finite number above ${above}`;
  }
  return above === undefined
    ? `a number from ${from} to ${to}`
    : `a number above ${above} and up to ${to}`;
}

/** One of several words. */
export function choiceCheck<Choice extends string>(
  choices: readonly Choice[],
): OptionCheck<Choice> {
  return {
    accepts: (value): value is Choice => (choices as readonly unknown[]).includes(value),
    expected: `one of ${choices.join(", ")}`,
  };
}

/** Most elements of an array that a message shows. */
const mostShown = 8;

/** A value as messages show it. */
export function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (isPlain(value)) return String(value);
  if (!Array.isArray(value)) return `of type ${typeof value}`;
  const isShort = value.length <= mostShown && value.every(isPlain);
  return isShort ? `[${value.map(show).join(", ")}]` : "an array with other elements";
}

function isPlain(value: unknown): boolean {
  return value == null || ["string", "number", "boolean"].includes(typeof value);
}
