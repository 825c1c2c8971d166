/**
 * How a record's fields are checked: small checks, put together as the interfaces
 * are. The type of a check says what it accepts, so that a check that does not
 * fit its interface does not compile.
 *
 * @module
 */

/** A value is not as expected. */
export class MismatchError extends Error {
  override readonly name = "MismatchError";
  /** Where it is, as `record.cells[0].tokens`. */
  readonly path: string;
  /** What belongs there, as `a number`. */
  readonly expected: string;

  constructor(path: string, expected: string) {
    super(`"${path}" must be ${expected}.`);
    this.path = path;
    this.expected = expected;
  }
}

/** In types only. */
declare const checks: unique symbol;

/** Makes two types differ that are assignable to each other only because a field is optional. */
type Whole<T> = { readonly [Field in keyof T]-?: Whole<T[Field]> };

interface Checking<T, Presence> {
  (value: unknown, path: string): asserts value is T;
  /** Parameter and result, so that a check is of exactly one type: neither wider nor narrower. */
  readonly [checks]: {
    readonly exactly: (value: Whole<T>) => Whole<T>;
    readonly presence: Presence;
  };
}

/**
 * Throws a {@link MismatchError} that names the path unless the value is a `T`.
 * Only the functions of this module make a `Check`: a plain function is none.
 */
export type Check<T> = Checking<T, "required">;

/** A {@link Check} of a field that may be left out. */
export type OptionalCheck<T> = Checking<T | undefined, "optional">;

/** One check for each field of an interface: none forgotten, none added, none of another type. */
export type Shape<T> = {
  readonly [Field in keyof T]-?: {} extends Pick<T, Field>
    ? OptionalCheck<Exclude<T[Field], undefined>>
    : Check<T[Field]>;
};

/** What a check is when it runs. */
type Run = (value: unknown, path: string) => void;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Lets fields through that the shape does not name. `T` follows from where the
 * check is used, never from the shape: `const look: Check<Look> = object({ … })`.
 * Spread only the shape of an interface that `T` extends: TypeScript does not see
 * a spread field that `T` lacks.
 */
export function object<T = never>(shape: Shape<NoInfer<T>>): Check<T> {
  const fields = runsOf(shape);
  return made((value, path) => {
    if (!isObject(value)) fail(path, "an object");
    for (const [field, check] of fields) check(value[field], `${path}.${field}`);
  });
}

/** Some of a shape's checks. */
export function pick<T, Field extends keyof T>(
  shape: Shape<T>,
  ...fields: readonly Field[]
): Pick<Shape<T>, Field> {
  return Object.fromEntries(fields.map((field) => [field, shape[field]])) as unknown as Pick<
    Shape<T>,
    Field
  >;
}

/** The same shape with fields that may all be left out. */
export function partial<T>(shape: Shape<T>): Shape<Partial<T>> {
  return Object.fromEntries(
    runsOf(shape).map(([name, run]) => [name, optional(made(run))]),
  ) as unknown as Shape<Partial<T>>;
}

export function array<T>(check: Check<T>): Check<readonly T[]> {
  const run: Run = check;
  return made((value, path) => {
    if (!Array.isArray(value)) fail(path, "an array");
    for (const [index, element] of value.entries()) run(element, `${path}[${index}]`);
  });
}

/** An object with fields of any names, and one type. */
export function dictionary<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  const run: Run = check;
  return made((value, path) => {
    if (!isObject(value)) fail(path, "an object");
    for (const [name, field] of Object.entries(value)) run(field, `${path}.${name}`);
  });
}

export function nullable<T>(check: Check<T>): Check<T | null> {
  const run: Run = check;
  return made((value, path) => {
    if (value !== null) run(value, path);
  });
}

export function optional<T>(check: Check<T>): OptionalCheck<T> {
  const run: Run = check;
  return made((value, path) => {
    if (value !== undefined) run(value, path);
  });
}

/** One of a few words, or numbers. */
export function oneOf<const Words extends readonly (string | number)[]>(
  ...words: Words
): Check<Words[number]> {
  const known = new Set<unknown>(words);
  return kind(`one of ${words.join(", ")}`, (value) => known.has(value));
}

/**
 * One of several interfaces; the field `kind` says which.
 *
 * @param expected what that field must be, in words
 */
export function oneOfKinds<T extends { readonly kind: string } = never>(
  expected: string,
  checksByKind: NoInfer<{
    readonly [Kind in T["kind"]]: Check<Extract<T, { readonly kind: Kind }>>;
  }>,
): Check<T> {
  const runs = new Map<unknown, Run>(runsOf(checksByKind));
  return made((value, path) => {
    const run = runs.get(isObject(value) ? value["kind"] : undefined);
    if (run === undefined) fail(`${path}.kind`, expected);
    run(value, path);
  });
}

/**
 * Adds what no check of a single field can say.
 *
 * @param refuse throws a {@link MismatchError}
 */
export function refined<T>(check: Check<T>, refuse: (value: T, path: string) => void): Check<T> {
  const run: Run = check;
  return made((value, path) => {
    run(value, path);
    refuse(value as T, path);
  });
}

function runsOf(checksByName: object): [string, Run][] {
  return Object.entries<Run>({ ...checksByName });
}

function made<T, Presence>(run: Run): Checking<T, Presence> {
  return run as unknown as Checking<T, Presence>;
}

function kind<T>(expected: string, accepts: (value: unknown) => boolean): Check<T> {
  return made((value, path) => {
    if (!accepts(value)) fail(path, expected);
  });
}

function fail(path: string, expected: string): never {
  throw new MismatchError(path, expected);
}

export const string: Check<string> = kind("a string", (value) => typeof value === "string");
export const number: Check<number> = kind("a number", (value) => typeof value === "number");
export const boolean: Check<boolean> = kind("true or false", (value) => typeof value === "boolean");
export const anything: Check<unknown> = kind("present", (value) => value !== undefined);

/** Most characters of a foreign value that a message shows. */
const longestShown = 60;

/** What stands where another value was expected, for a message. It never throws, as `String()` can. */
export function shownJson(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
