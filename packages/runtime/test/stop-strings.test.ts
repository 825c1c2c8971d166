import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createStopStrings } from "../src/text/stop-strings.js";

/** The text before the stop string that is complete first, the longest if several are. */
function referenceCut(text: string, strings: readonly string[]): string | undefined {
  for (let end = 1; end <= text.length; end++) {
    const complete = strings.filter((string) => text.slice(0, end).endsWith(string));
    if (complete.length > 0) return text.slice(0, end - Math.max(...complete.map((s) => s.length)));
  }
  return undefined;
}

/** The longest end of a text that is the beginning of a stop string, and not all of it. */
function referenceHeld(text: string, strings: readonly string[]): string {
  const beginnings = strings.flatMap((string) =>
    Array.from(string, (_, length) => string.slice(0, length)),
  );
  const fitting = beginnings.filter((beginning) => text.endsWith(beginning));
  return fitting.toSorted((x, y) => y.length - x.length)[0] ?? "";
}

describe("stop strings", () => {
  const letters = fc.constantFrom("a", "b", "c");
  const word = (maxLength: number) => fc.string({ unit: letters, minLength: 1, maxLength });

  it("cut the text exactly, wherever pieces end, and hold back no more than they must", () => {
    fc.assert(
      fc.property(
        fc.array(word(5), { minLength: 1, maxLength: 4 }),
        fc.array(fc.string({ unit: letters, maxLength: 4 }), { maxLength: 30 }),
        (strings, pieces) => {
          const stopStrings = createStopStrings(strings);
          let taken = "";
          let given = "";
          for (const piece of pieces) {
            taken += piece;
            given += stopStrings.push(piece, true);
            const cut = referenceCut(taken, strings);
            const held = referenceHeld(taken, strings);
            expect(stopStrings.found).toBe(cut !== undefined);
            expect(given).toBe(cut ?? taken.slice(0, taken.length - held.length));
          }
          given += stopStrings.flush();
          expect(given).toBe(referenceCut(taken, strings) ?? taken);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("give text back once it is no stop string after all", () => {
    const stopStrings = createStopStrings(["\nUser:"]);
    const pieces = ["Yes.", "\n", "Us", "eful", "\nUse", "r: what", " else"];
    const given = pieces.map((piece) => stopStrings.push(piece, true));
    expect(given).toEqual(["Yes.", "", "", "\nUseful", "", "", ""]);
    expect(stopStrings.found).toBe(true);
    expect(stopStrings.flush()).toBe("");
  });

  it("take the one that is complete first, and the longest that is complete at once", () => {
    const cut = (text: string, ...strings: string[]) => createStopStrings(strings).push(text, true);
    expect(cut("xabcd", "abcd", "bc")).toBe("xa");
    expect(cut("xabcd", "cd", "abcd")).toBe("x");
  });

  it("pass over one that is complete too early, and still see one that goes on from there", () => {
    const stopStrings = createStopStrings(["aba"]);
    const given = stopStrings.push("xab", false) + stopStrings.push("a", false);
    expect(stopStrings.found).toBe(false);
    expect(given).toBe("xab");
    expect(stopStrings.push("b", true)).toBe("");
    expect(stopStrings.push("a!", true)).toBe("");
    expect(stopStrings.found).toBe(true);
  });

  it("are whole characters, so that the text is too", () => {
    const stopStrings = createStopStrings(["🐳🐋"]);
    expect(stopStrings.push("a🐳", true)).toBe("a");
    expect(stopStrings.push("🐳", true)).toBe("🐳");
    expect(stopStrings.push("🐋", true)).toBe("");
    expect(stopStrings.found).toBe(true);
  });

  it("cost nothing where there are none", () => {
    const stopStrings = createStopStrings([]);
    expect(stopStrings.push("anything", true)).toBe("anything");
    expect(stopStrings.found).toBe(false);
    expect(stopStrings.flush()).toBe("");
  });
});
