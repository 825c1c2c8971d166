import { engineComparison, type ResultRecord } from "../record/index.js";
import { engineRatio } from "./engine.js";
import { columns, type Table } from "./table.js";
import { ratio } from "./value.js";

/** What was claimed of the engine, and what became of it: a row for each claim. */
export function engineVerdicts({ engine = [] }: ResultRecord): Table {
  return {
    heading: "The engine",
    title: "The engine against others (ratio of values, less is better) [95 %]:",
    columns: columns("what", "contender", "against", "claim", "ratio", "limit", "verdict"),
    rows: engine.flatMap((measurement) =>
      measurement.claims.map((claim) => ({
        values: [
          measurement.title,
          claim.contender,
          claim.against,
          claim.promise,
          engineRatio(engineComparison(measurement, claim.contender, claim.against)),
          ratio(claim.limit),
          { kind: "verdict", verdict: claim.verdict } as const,
        ],
      })),
    ),
    introduction:
      "Ratio: time per token, time or memory of the contender, divided by that of the other; " +
      "below 1 is better.",
    definitions: ["engine ratio"],
  };
}
