import { describe, expect, it } from "vitest";
import {
  MismatchError,
  anything,
  array,
  dictionary,
  nullable,
  number,
  object,
  oneOf,
  oneOfKinds,
  optional,
  pick,
  refined,
  string,
  type Check,
  type Shape,
} from "../src/record/shape.js";

interface Part {
  readonly size: number;
  readonly note?: string;
}

interface Whole {
  readonly name: string;
  readonly kept: number | null;
  readonly sizes?: readonly number[];
  readonly first: Part;
  readonly parts: readonly Part[];
  readonly state: "new" | "old";
  readonly said: unknown;
  readonly last?: Part | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly places: readonly { readonly x: number }[];
}

const partShape: Shape<Part> = { size: number, note: optional(string) };
const part: Check<Part> = object(partShape);
const whole: Check<Whole> = object({
  name: string,
  kept: nullable(number),
  sizes: optional(array(number)),
  first: part,
  parts: array(part),
  state: oneOf("new", "old"),
  said: anything,
  last: optional(nullable(part)),
  counts: dictionary(number),
  places: array(object({ x: number })),
});

type Shown =
  | { readonly kind: "line"; readonly length: number }
  | { readonly kind: "word"; readonly text: string };

const shown: Check<Shown> = oneOfKinds("a known kind", {
  line: object({ kind: oneOf("line"), length: number }),
  word: object({ kind: oneOf("word"), text: string }),
});

const intact: Whole = {
  name: "a",
  kept: null,
  first: { size: 1 },
  parts: [{ size: 2, note: "b" }],
  state: "old",
  said: 0,
  last: null,
  counts: { c: 3 },
  places: [{ x: 4 }],
};

function mismatchOf(check: (value: unknown, path: string) => void, value: unknown): string {
  try {
    check(value, "it");
    return "";
  } catch (error) {
    if (!(error instanceof MismatchError)) throw error;
    return error.message;
  }
}

describe("a check", () => {
  it("accepts what its interface allows", () => {
    expect(mismatchOf(whole, intact)).toBe("");
    expect(mismatchOf(whole, { ...intact, sizes: [1], last: { size: 5 }, more: true })).toBe("");
  });

  it.each([
    [{ name: 1 }, '"it.name" must be a string.'],
    [{ kept: undefined }, '"it.kept" must be a number.'],
    [{ sizes: null }, '"it.sizes" must be an array.'],
    [{ sizes: [0, "1"] }, '"it.sizes[1]" must be a number.'],
    [{ first: [] }, '"it.first" must be an object.'],
    [{ parts: [{ size: 1, note: null }] }, '"it.parts[0].note" must be a string.'],
    [{ state: "newer" }, '"it.state" must be one of new, old.'],
    [{ said: undefined }, '"it.said" must be present.'],
    [{ counts: { d: null } }, '"it.counts.d" must be a number.'],
  ])("names the path of what is damaged: %j", (damage, message) => {
    expect(mismatchOf(whole, { ...intact, ...damage })).toBe(message);
  });

  it("goes by the kind where there are several", () => {
    expect(mismatchOf(shown, { kind: "line", length: 1 })).toBe("");
    expect(mismatchOf(shown, { kind: "word", length: 1 })).toBe('"it.text" must be a string.');
    for (const other of [null, "line", {}, { kind: "constructor" }]) {
      expect(mismatchOf(shown, other)).toBe('"it.kind" must be a known kind.');
    }
  });

  it("can be refined and picked from", () => {
    const even = refined(number, (value, path) => {
      if (value % 2 !== 0) throw new MismatchError(path, "even");
    });
    expect(mismatchOf(even, 2)).toBe("");
    expect(mismatchOf(even, 3)).toBe('"it" must be even.');
    expect(mismatchOf(even, null)).toBe('"it" must be a number.');
    expect(Object.keys(pick(partShape, "note"))).toEqual(["note"]);
  });
});

/** What must not compile: `tsc -p test` fails where one of these does. */
export const refused = {
  missing: (): Check<Part> =>
    // @ts-expect-error The check of a field is missing.
    object({ note: optional(string) }),
  missingOptional: (): Check<Part> =>
    // @ts-expect-error The check of a field that may be left out is missing.
    object({ size: number }),
  extra: (): Check<Part> =>
    // @ts-expect-error No such field.
    object({ size: number, note: optional(string), weight: number }),
  wrongType: (): Check<Part> =>
    // @ts-expect-error The field is a number.
    object({ size: string, note: optional(string) }),
  optionalInsteadOfRequired: (): Check<Part> =>
    // @ts-expect-error The field is always there.
    object({ size: optional(number), note: optional(string) }),
  requiredInsteadOfOptional: (): Check<Part> =>
    // @ts-expect-error The field may be left out.
    object({ size: number, note: string }),
  wider: (): Check<Part> =>
    // @ts-expect-error The field is never null.
    object({ size: nullable(number), note: optional(string) }),
  narrower: (): Check<{ readonly kept: number | null }> =>
    // @ts-expect-error The field can be null.
    object({ kept: number }),
  // @ts-expect-error A word is missing.
  missingWord: (): Check<"new" | "old"> => oneOf("new"),
  // @ts-expect-error There is a word too many.
  extraWord: (): Check<"new" | "old"> => oneOf("new", "old", "older"),
  // @ts-expect-error Not any text.
  anyText: (): Check<"new" | "old"> => string,
  missingInside: (): Check<{ readonly parts: readonly Part[] }> =>
    // @ts-expect-error The check of a field is missing two levels down.
    object({ parts: array(object({ size: number })) }),
  // @ts-expect-error A list, not one of them.
  noList: (): Check<{ readonly parts: readonly Part[] }> => object({ parts: part }),
  /** Both types are assignable to each other: only an optional field tells them apart. */
  otherInterface: (lean: Check<{ readonly size: number }>): readonly Check<readonly Part[]>[] => [
    // @ts-expect-error It is not the check of this interface.
    array(lean),
  ],
  missingKind: (): Check<Shown> =>
    // @ts-expect-error The check of a kind is missing.
    oneOfKinds("a known kind", { line: object({ kind: oneOf("line"), length: number }) }),
  swappedKinds: (line: Check<Extract<Shown, { kind: "line" }>>): Check<Shown> =>
    // @ts-expect-error The check is that of the other kind.
    oneOfKinds("a known kind", { line, word: line }),
  // @ts-expect-error Only the functions of the module make checks.
  plainFunction: (): Check<Part> => () => {},
  // @ts-expect-error It does not say whose check it is.
  ofNothing: () => object({ size: number }),
  missingInShape: (): Shape<Part> =>
    // @ts-expect-error The check of a field that may be left out is missing.
    ({ size: number }),
  missingAfterSpread: (): Check<Part & { readonly more: number }> =>
    // @ts-expect-error The check of the interface's own field is missing.
    object({ ...partShape }),
};
