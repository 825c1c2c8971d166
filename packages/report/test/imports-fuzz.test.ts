// Result files that no tool should write, and that some do.
import fc from "fast-check";
import { expect, it } from "vitest";
import { readForeign, renderImport } from "@streamgauge/report";
import { expectShowable, outcomeOf } from "../../core/test/fuzz-outcome.js";
import {
  changedDocument,
  damaged,
  fuzzParameters,
  hostileJson,
  hostileNumber,
  looseJson,
} from "../../core/test/hostile-input.js";
import {
  aiperfLine,
  aiperfOldSummary,
  aiperfSummary,
  guidellm,
  guidellm01,
  guidellm02,
  sglang,
  vllm,
} from "./foreign-files.js";

const files = fc.constantFrom<unknown>(
  vllm,
  sglang,
  aiperfLine(),
  aiperfSummary,
  aiperfOldSummary,
  guidellm,
  guidellm02,
  guidellm01,
);

/** Another number in one to three places that have one. */
const otherNumbers = fc
  .tuple(files, fc.array(fc.tuple(fc.nat(), hostileNumber()), { minLength: 1, maxLength: 3 }))
  .map(([file, changes]) => {
    const numbers = JSON.stringify(file).split(/(?<=[:[,])(-?[\d.]+)(?=[,\]}])/);
    for (const [place, number] of changes) {
      const count = (numbers.length - 1) / 2;
      numbers[2 * (place % count) + 1] = looseJson(number);
    }
    return numbers.join("");
  });

const changed = files.chain((file) => changedDocument(file));
const lines = fc
  .array(fc.oneof(files, changed), { minLength: 1, maxLength: 4 })
  .map((values) => values.map(looseJson).join("\n"));

const text = fc.oneof(
  { weight: 8, arbitrary: hostileJson(changed) },
  { weight: 6, arbitrary: otherNumbers },
  { weight: 3, arbitrary: lines },
  { weight: 2, arbitrary: damaged(lines) },
  { weight: 1, arbitrary: hostileJson() },
);

it("gives tables of possible values, or says what is wrong", async () => {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(text, async (given) => {
      const outcome = await outcomeOf(() => {
        const shown = readForeign(given).map(renderImport).join("\n");
        expectShowable(shown);
        const cells = shown.split("\n").filter((line) => line.startsWith("| "));
        expect(cells.join("\n")).not.toMatch(/\| (-\d|-?Infinity|NaN|\d+e\+)/);
      }, ["INVALID_RECORD"]);
      outcomes.add(outcome);
    }),
    fuzzParameters(1901),
  );
  expect([...outcomes].toSorted()).toEqual(["INVALID_RECORD", "done"]);
}, 600_000);
