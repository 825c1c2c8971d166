// Seeded input as nobody should send it, for fuzzers of whatever reads foreign data.
import fc, { type Arbitrary } from "fast-check";

/**
 * What `fc.assert` gets in a fuzzer: 200 cases, or as many as the environment variable
 * STREAMGAUGE_FUZZ_CASES says. The seed is fixed, so a longer run begins with the same cases.
 */
export function fuzzParameters(seed: number): { seed: number; numRuns: number } {
  const said = process.env["STREAMGAUGE_FUZZ_CASES"] ?? "";
  const numRuns = said === "" ? 200 : Number(said);
  if (!Number.isSafeInteger(numRuns) || numRuns < 1) {
    throw new Error(`STREAMGAUGE_FUZZ_CASES is "${said}"; it must be a whole number of cases.`);
  }
  return { seed, numRuns };
}

/** Names that objects inherit, and other keys that readers stumble over. */
export const hostileKeys: readonly string[] = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "toJSON",
  "length",
  "0",
  "-1",
  "",
  " ",
  "a".repeat(5000),
];

/** Strings that terminals, spreadsheets, pages, parsers and decoders take for something else. */
export function hostileString(): Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(
      "",
      " ",
      "\0",
      "\n",
      "\r\n",
      "\u001B[2J\u001B]0;title\u0007",
      "\u009B31m",
      "\u202Eright to left",
      "\u2028",
      "\uFEFF",
      "\uD800",
      "\uDC00\uD83D",
      "🐋👩‍👩‍👧",
      "null",
      "NaN",
      "[DONE]",
      "data: x\n\n",
      "=1+1",
      "<script>alert(1)</script>",
      "| --- |",
      "../../etc/passwd",
      "%s%n${x}",
      '"',
      "\\",
      "a".repeat(20_000),
    ),
    fc.constantFrom(...hostileKeys),
    fc.string({ unit: "binary", maxLength: 30 }),
    fc.string({ maxLength: 30 }),
  );
}

/** Numbers at the ends of what a number can be, and others that no measurement is. */
export function hostileNumber(): Arbitrary<number> {
  return fc.oneof(
    fc.constantFrom(
      0,
      -0,
      1,
      -1,
      0.5,
      -45,
      2 ** 31,
      2 ** 53 - 1,
      2 ** 53,
      1e21,
      1e308,
      -1e308,
      5e-324,
      Number.NaN,
      Infinity,
      -Infinity,
    ),
    fc.double(),
    fc.integer(),
  );
}

/** Values of any shape, at most a few levels deep. Keys may be those of a prototype, as own ones. */
export function hostileValue(): Arbitrary<unknown> {
  const { value } = fc.letrec<{ value: unknown; object: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(null, true, false),
      hostileString(),
      hostileNumber(),
      fc.array(tie("value"), { maxLength: 4 }),
      tie("object"),
    ),
    object: fc
      .array(fc.tuple(hostileString(), tie("value")), { maxLength: 4 })
      .map((entries) => Object.fromEntries(entries)),
  }));
  return value;
}

/**
 * Copies of a document in which one to three places are replaced, removed, doubled or
 * have a field added.
 */
export function changedDocument(document: unknown): Arbitrary<unknown> {
  const change = fc.record({
    place: fc.nat(),
    way: fc.constantFrom<Way>("replace", "replace", "remove", "wrap", "add"),
    key: fc.constantFrom(...hostileKeys),
    value: hostileValue(),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    const root = { document: structuredClone(document) };
    for (const { place, way, key, value } of changes) {
      const places = placesIn(root);
      const chosen = places[place % places.length];
      if (chosen !== undefined) apply(chosen, way, key, value);
    }
    return root.document;
  });
}

/** JSON as its writers write it when they do it wrongly: bare NaN, cut, nested without end. */
export function hostileJson(value: Arbitrary<unknown> = hostileValue()): Arbitrary<string> {
  const nested = fc
    .tuple(fc.constantFrom("[", '{"a":', '{"error":'), fc.integer({ min: 1, max: 20_000 }))
    .map(([opening, depth]) => opening.repeat(depth));
  return fc.oneof(
    { weight: 12, arbitrary: value.map(looseJson) },
    { weight: 3, arbitrary: damaged(value.map(looseJson)) },
    { weight: 1, arbitrary: nested },
    { weight: 1, arbitrary: value.map((given) => `\uFEFF${looseJson(given)}`) },
    { weight: 1, arbitrary: value.map((given) => `{"a":1,"a":${looseJson(given)}}`) },
    { weight: 1, arbitrary: hostileString() },
  );
}

/** Texts that are cut, or have a piece removed, repeated, or put in. */
export function damaged(text: Arbitrary<string>): Arbitrary<string> {
  return fc
    .record({
      text,
      from: fc.nat(),
      length: fc.nat({ max: 20 }),
      way: fc.constantFrom("cut", "remove", "repeat", "insert"),
      piece: hostileString(),
    })
    .map((given) => {
      const from = given.from % (given.text.length + 1);
      const [head, tail] = [given.text.slice(0, from), given.text.slice(from)];
      if (given.way === "cut") return head;
      if (given.way === "remove") return head + tail.slice(given.length);
      if (given.way === "repeat") return head + tail.slice(0, given.length) + tail;
      return head + given.piece + tail;
    });
}

/** JSON, but numbers that JSON does not have are written as they are, as Python does. */
export function looseJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(looseJson).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(
      ([key, field]) => `${JSON.stringify(key)}:${looseJson(field)}`,
    );
    return `{${fields.join(",")}}`;
  }
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  return JSON.stringify(value) ?? "null";
}

/** A document as a reader gets it from a file: without holes in arrays and without NaN. */
export function asParsed(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, asParsed);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, asParsed(field)]));
  }
  return Number.isNaN(value) ? null : (value ?? null);
}

type Way = "replace" | "remove" | "wrap" | "add";

interface Place {
  readonly parent: object;
  readonly key: string;
}

function placesIn(parent: object): Place[] {
  return Object.entries(parent).flatMap(([key, value]: [string, unknown]) => [
    { parent, key },
    ...(typeof value === "object" && value !== null ? placesIn(value) : []),
  ]);
}

function apply({ parent, key }: Place, way: Way, newKey: string, value: unknown): void {
  const now: unknown = Object.getOwnPropertyDescriptor(parent, key)?.value;
  // Defined and not assigned, because a key may be "__proto__".
  const set = (target: object, name: string, given: unknown): void =>
    void Object.defineProperty(target, name, {
      value: given,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  if (way === "wrap") set(parent, key, [now, now]);
  else if (way === "remove") Reflect.deleteProperty(parent, key);
  else if (way === "add" && typeof now === "object" && now !== null && !Array.isArray(now)) {
    set(now, newKey, value);
  } else set(parent, key, value);
}
