/**
 * How a record's fields are checked: small checks, put together as the interfaces are.
 *
 * @module
 */
/** A record that this version cannot read. */
export class InvalidRecordError extends Error {
  override readonly name = "InvalidRecordError";
  readonly code = "INVALID_RECORD";
}

/** Throws an {@link InvalidRecordError} that names the path unless the value is as expected. */
export type Check = (value: unknown, path: string) => void;
/** One check for each field of an interface, so that neither can forget the other's. */
export type Shape<T> = { readonly [Field in keyof T]-?: Check };

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function fail(path: string, expected: string): never {
  throw new InvalidRecordError(
    `The record is damaged: "${path}" must be ${expected}. Run the bench again, or take an intact copy.`,
  );
}

export function kind(expected: string, accepts: (value: unknown) => boolean): Check {
  return (value, path) => {
    if (!accepts(value)) fail(path, expected);
  };
}

export function object<T>(shape: Shape<T>): Check {
  return (value, path) => {
    if (!isObject(value)) fail(path, "an object");
    for (const [field, check] of Object.entries<Check>(shape)) {
      check(value[field], `${path}.${field}`);
    }
  };
}

export function array(check: Check): Check {
  return (value, path) => {
    if (!Array.isArray(value)) fail(path, "an array");
    for (const [index, element] of value.entries()) check(element, `${path}[${index}]`);
  };
}

export function nullable(check: Check): Check {
  return (value, path) => {
    if (value !== null) check(value, path);
  };
}

export function optional(check: Check): Check {
  return (value, path) => {
    if (value !== undefined) check(value, path);
  };
}

export function oneOf(...words: string[]): Check {
  return kind(`one of ${words.join(", ")}`, (value) => words.includes(value as string));
}

export const string: Check = kind("a string", (value) => typeof value === "string");
export const number: Check = kind("a number", (value) => typeof value === "number");
export const boolean: Check = kind("true or false", (value) => typeof value === "boolean");
export const anything: Check = kind("present", (value) => value !== undefined);
