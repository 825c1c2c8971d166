import {
  booleanCheck,
  choiceCheck,
  countCheck,
  functionCheck,
  integerCheck,
  invalidOption,
  numberCheck,
  readOptions,
  signalCheck,
  textCheck,
  type OptionTable,
} from "@streamgauge/core";
import { describe, expect, it } from "vitest";

interface BoatOptions {
  readonly name: string;
  readonly oars?: number;
  readonly sails?: string | readonly string[];
  readonly crew?: number;
}

interface ResolvedBoatOptions {
  readonly name: string;
  readonly oars: number;
  readonly sails: readonly string[];
  readonly crew: number;
}

const sails = {
  check: {
    accepts: (value: unknown): value is string | readonly string[] =>
      typeof value === "string" || Array.isArray(value),
    expected: "a sail or several",
  },
  default: [],
  resolve: (given: string | readonly string[]) => (typeof given === "string" ? [given] : given),
};
const name = { check: textCheck };
const oars = { check: integerCheck(2, 8), default: 4 };
const crew = {
  check: integerCheck(1),
  defaultFrom: (boat: BoatOptions) => (boat.oars ?? oars.default) + 1,
};
const table: OptionTable<BoatOptions, ResolvedBoatOptions> = { name, oars, sails, crew };

describe("readOptions", () => {
  it("fills in defaults, also those that other options decide, and resolves what is given", () => {
    expect(readOptions({ name: "Pequod" }, table)).toEqual({
      name: "Pequod",
      oars: 4,
      sails: [],
      crew: 5,
    });
    expect(readOptions({ name: "Rachel", oars: 6, sails: "jib" }, table)).toEqual({
      name: "Rachel",
      oars: 6,
      sails: ["jib"],
      crew: 7,
    });
  });

  it.each([
    [{}, "name is undefined; it must be a text that is not empty."],
    [{ name: "Pequod", oars: 1 }, "oars is 1; it must be an integer from 2 to 8."],
    [{ name: "Pequod", oars: null }, "oars is null; it must be an integer from 2 to 8."],
    [{ name: "Pequod", sails: 3n }, "sails is of type bigint; it must be a sail or several."],
    [{ name: ["a", 1] }, 'name is ["a", 1]; it must be a text that is not empty.'],
    [{ name: [{}] }, "name is an array with other elements; it must be a text that is not empty."],
    [{ oar: 2 }, 'Unknown option "oar". Known options: crew, name, oars, sails.'],
    [{ toString: 2 }, 'Unknown option "toString". Known options: crew, name, oars, sails.'],
    [null, "The options must be an object, not null."],
    [["Pequod"], 'The options must be an object, not ["Pequod"].'],
  ])("rejects %o", (options, message) => {
    expect(() => readOptions(options as unknown as BoatOptions, table)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message }),
    );
  });

  it("speaks of the options as it is told to", () => {
    const naming = {
      code: "INVALID_CONFIG",
      all: "The boat",
      kind: "boat option",
      one: (option: string) => `boat.${option}`,
    } as const;
    const messageOf = (options: object): unknown => {
      try {
        return readOptions(options as BoatOptions, table, naming);
      } catch (error) {
        return error;
      }
    };
    expect(messageOf({ name: "" })).toMatchObject({
      code: "INVALID_CONFIG",
      message: 'boat.name is ""; it must be a text that is not empty.',
    });
    expect(messageOf({ mast: 1 })).toMatchObject({
      message: 'Unknown boat option "mast". Known boat options: crew, name, oars, sails.',
    });
    expect(messageOf([])).toMatchObject({ message: "The boat must be an object, not []." });
  });
});

it.each([
  ["booleans", booleanCheck, [true, false], [0, "true", null]],
  ["texts", textCheck, ["a"], ["", 1, null]],
  ["functions", functionCheck(), [() => 1], [{}, null]],
  ["signals", signalCheck, [AbortSignal.abort()], [{}, null, "aborted"]],
  ["integers", integerCheck(1), [1, 2 ** 53 - 1], [0, 1.5, 2 ** 53, Infinity, "1", Number.NaN]],
  ["integers of a range", integerCheck(-1, 1), [-1, 0, 1], [-2, 2, 0.5]],
  ["counts", countCheck(0), [0, 7, Infinity], [-1, 0.5, -Infinity, Number.NaN]],
  ["numbers from", numberCheck({ from: 0 }), [0, 0.1, 1e300], [-0.1, Infinity, Number.NaN, "1"]],
  ["numbers above", numberCheck({ above: 0, to: 1 }), [1e-9, 1], [0, 1.1, Number.NaN]],
  ["choices", choiceCheck(["port", "starboard"]), ["port"], ["Port", "", 0, undefined]],
])("the check for %s", (_, check, right, wrong) => {
  for (const value of right) expect([value, check.accepts(value)]).toEqual([value, true]);
  for (const value of wrong) expect([value, check.accepts(value)]).toEqual([value, false]);
});

it("makes the error for an option that is wrong", () => {
  expect(invalidOption("no")).toMatchObject({ code: "INVALID_OPTION", message: "no" });
  expect(invalidOption("no", "INVALID_CONFIG").code).toBe("INVALID_CONFIG");
});

/** `tsc -p test` fails where one of these compiles. */
export const tablesThatDoNotCompile: readonly OptionTable<BoatOptions, ResolvedBoatOptions>[] = [
  // @ts-expect-error an option without an entry
  { name, oars, sails },
  // @ts-expect-error an entry without an option
  { name, oars, sails, crew, mast: oars },
  // @ts-expect-error a check for another type
  { name, oars: { ...oars, check: booleanCheck }, sails, crew },
  // @ts-expect-error an optional option without a default
  { name, oars: { check: integerCheck(2) }, sails, crew },
  // @ts-expect-error a default of another type
  { name, oars: { ...oars, default: "4" }, sails, crew },
  // @ts-expect-error an option of another form than it is resolved to
  { name, oars, sails: { check: sails.check, default: [] }, crew },
];
