import { StreamgaugeError } from "./errors.js";
import { show, type OptionCheck } from "./option-checks.js";

/** The codes under which an option is refused. */
export type InvalidOptionCode = "INVALID_OPTION" | "INVALID_CONFIG";

/**
 * The error for an option that is wrong.
 *
 * @param message names the option, its value, and what to give instead
 * @param code "INVALID_CONFIG" for options of a generation, "INVALID_OPTION" for all others
 */
export function invalidOption(
  message: string,
  code: InvalidOptionCode = "INVALID_OPTION",
): StreamgaugeError {
  return new StreamgaugeError(code, message);
}

/** All about one option: what it may be, and what it is resolved to. */
export type OptionEntry<Options, Value, Resolved, IsOptional = true> = {
  readonly check: OptionCheck<Value>;
} & (IsOptional extends true
  ? | { readonly default: Resolved }
    /** For a default that other options or the machine decide. They are checked before. */
    | { readonly defaultFrom: (options: Options) => Resolved }
  : unknown) &
  ([Value] extends [Resolved]
    ? { readonly resolve?: (value: Value) => Resolved }
    : { readonly resolve: (value: Value) => Resolved });

/**
 * What options are resolved to: each is there. Those of `WithoutDefault` are
 * `undefined` when they are not given; those of `Reshaped` have another form than
 * they are given in.
 */
export type ResolvedOptions<
  Options extends object,
  WithoutDefault extends keyof Options = never,
  Reshaped extends object = object,
> = {
  readonly [Name in keyof Options]-?: Name extends keyof Reshaped
    ? Reshaped[Name]
    : Exclude<Options[Name], undefined> | (Name extends WithoutDefault ? undefined : never);
};

/**
 * A table of options: an entry for each property of the interface `Options`. It
 * does not compile while one is missing, or checks or resolves to another type.
 */
export type OptionTable<
  Options extends object,
  Resolved extends Readonly<Record<keyof Options, unknown>>,
> = {
  readonly [Name in keyof Options]-?: OptionEntry<
    Options,
    Exclude<Options[Name], undefined>,
    Resolved[Name],
    object extends Pick<Options, Name> ? true : false
  >;
};

/** How messages speak of the options of a table. */
export interface OptionNaming {
  /** Default "INVALID_OPTION". */
  readonly code?: InvalidOptionCode;
  /** All of them, at the beginning of a sentence. Default "The options". */
  readonly all?: string;
  /** What one is. Default "option". */
  readonly kind?: string;
  /** One of them, at the beginning of a sentence. Default: its name. */
  readonly one?: (name: string) => string;
}

/** An entry as {@link readOptions} sees it, whatever its types are. */
interface AnyEntry {
  readonly check: OptionCheck<unknown>;
  readonly default?: unknown;
  readonly defaultFrom?: (options: object) => unknown;
  readonly resolve?: (value: unknown) => unknown;
}

/**
 * Checks options against their table, and fills in the defaults. `undefined`
 * means "not given".
 *
 * @returns for each option of the table what it is resolved to
 * @throws StreamgaugeError with the code of `naming`, for the first option that is
 *   unknown or not what its check accepts
 */
export function readOptions<
  Options extends object,
  Resolved extends Readonly<Record<keyof Options, unknown>>,
>(options: Options, table: OptionTable<Options, Resolved>, naming: OptionNaming = {}): Resolved {
  const { code, all = "The options", kind = "option", one = (name: string) => name } = naming;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw invalidOption(`${all} must be an object, not ${show(options)}.`, code);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(table, name)) continue;
    const known = Object.keys(table).toSorted().join(", ");
    throw invalidOption(`Unknown ${kind} "${name}". Known ${kind}s: ${known}.`, code);
  }
  const given = options as Readonly<Record<string, unknown>>;
  const entries = table as Readonly<Record<string, AnyEntry>>;
  for (const name in entries) {
    const value = given[name];
    const entry = entries[name]!;
    const mayBeMissing = "default" in entry || "defaultFrom" in entry;
    if ((value === undefined && mayBeMissing) || entry.check.accepts(value)) continue;
    const { expected } = entry.check;
    throw invalidOption(`${one(name)} is ${show(value)}; it must be ${expected}.`, code);
  }
  const resolved: Record<string, unknown> = {};
  for (const name in entries) {
    const value = given[name];
    const entry = entries[name]!;
    if (value !== undefined) resolved[name] = entry.resolve ? entry.resolve(value) : value;
    else resolved[name] = entry.defaultFrom ? entry.defaultFrom(options) : entry.default;
  }
  return resolved as Resolved;
}
