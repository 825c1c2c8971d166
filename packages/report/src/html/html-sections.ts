import {
  describeVariant,
  type Cell,
  type ClaimResult,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { modeNames } from "../text/mode-names.js";
import {
  duration,
  inUnitOf,
  percentWithBounds,
  percentWithInterval,
  withInterval,
} from "../text/numbers.js";
import { comparisonOf } from "../sections/section.js";
import { htmlTable, type TableCell } from "./html-table.js";
import { escapeXml } from "../text/html-text.js";
import { scenarioIndex } from "./scenarios.js";

const claimNames = {
  overhead: "overhead",
  absoluteCost: "absolute cost, µs per token",
  difference: "no difference",
} as const;

/** Each claim and what became of it. */
export function verdictTable(record: ResultRecord): string {
  const { claims, cells } = record;
  const rows = claims.map((claim) => {
    const cell = cells.find(({ id }) => id === claim.cell);
    return {
      ...(cell && { scenario: scenarioIndex(record, cell) }),
      cells: [
        { text: claim.verdict, className: `verdict ${claim.verdict}` },
        modeNames[claim.treatment],
        numeric(String(cell?.tokens ?? "–")),
        numeric(estimateFor(claim, cell)),
        numeric(`${claim.metric === "difference" ? "±" : "<"} ${inUnitOf(claim, claim.limit)}`),
        cell === undefined ? claim.cell : nameOf(cell),
        claimNames[claim.metric],
      ],
    };
  });
  if (rows.length === 0) return "<p>Nothing was claimed of this run.</p>";
  const caption =
    "Claims, with the Hodges–Lehmann estimate and its interval: 95 %, of differences 90 %.";
  const head = ["verdict", "mode", "tokens", "estimate", "limit", "model", "claim on"];
  return `${htmlTable(caption, head, rows)}\n${reasons(claims)}`;
}

/** Why, in the words of the record. */
function reasons(claims: readonly ClaimResult[]): string {
  const items = claims
    .filter((claim) => claim.reasons.length > 0)
    .map((claim) => {
      const named = `${claim.cell}, ${modeNames[claim.treatment]}: ${claim.verdict}.`;
      return `<li>${escapeXml([named, ...claim.reasons].join(" "))}</li>`;
    });
  return items.length === 0
    ? ""
    : `<details><summary>Why: the reasons for each verdict</summary><ul>${items.join("\n")}</ul></details>`;
}

/** What each streaming mode costs in each cell. */
export function cellTable(record: ResultRecord): string {
  const rows = record.cells.flatMap((cell) =>
    (["control", "stream", "streamAsync"] as const).flatMap((treatment) => {
      const comparison = comparisonOf(cell, treatment);
      if (comparison === undefined) return [];
      const summary = cell.analysis?.treatments.find(
        (candidate) => candidate.treatment === treatment,
      );
      return [
        {
          scenario: scenarioIndex(record, cell),
          cells: [
            cell.scenario,
            nameOf(cell),
            numeric(String(cell.tokens)),
            modeNames[treatment],
            numeric(percentWithInterval(comparison.overhead.hodgesLehmann)),
            numeric(withInterval(comparison.costMicrosecondsPerToken.hodgesLehmann)),
            numeric(summary?.throughputTokensPerSecond.toFixed(1) ?? "–"),
            numeric(String(comparison.blocks)),
          ],
        },
      ];
    }),
  );
  return htmlTable(
    "Each mode against generate(), Hodges–Lehmann estimates with their 95 % intervals.",
    ["scenario", "model", "tokens", "mode", "overhead", "µs per token", "tokens/s", "blocks"],
    rows,
  );
}

const metricNames = {
  timeToFirstToken: "time to first token",
  interTokenLatency: "inter-token",
  deliveryLatency: "delivery",
  callbackTime: "in the callback",
} as const;

/** Percentiles of each distribution. */
export function latencyTable(record: ResultRecord): string {
  const rows = record.cells.flatMap((cell) =>
    cell.distributions.map((found) => ({
      scenario: scenarioIndex(record, cell),
      cells: [
        cell.id,
        metricNames[found.metric],
        modeNames[found.treatment],
        numeric(duration(found.p50Nanoseconds)),
        numeric(duration(found.p90Nanoseconds)),
        numeric(duration(found.p99Nanoseconds)),
        numeric(duration(found.p999Nanoseconds)),
        numeric(duration(found.maximumNanoseconds)),
        numeric(String(found.count)),
      ],
    })),
  );
  return htmlTable(
    "Distributions over all tokens of a cell.",
    ["cell", "latency", "mode", "p50", "p90", "p99", "p99.9", "max", "count"],
    rows,
  );
}

function nameOf(cell: Cell): string {
  return [cell.model, describeVariant(cell), cell.host].filter((part) => part !== "").join(", ");
}

function estimateFor(claim: ClaimResult, cell: Cell | undefined): string {
  const comparison = comparisonOf(cell, claim.treatment);
  if (comparison === undefined) return "–";
  if (claim.metric === "absoluteCost") {
    return withInterval(comparison.costMicrosecondsPerToken.hodgesLehmann);
  }
  const { hodgesLehmann } = comparison.overhead;
  return claim.metric === "difference"
    ? percentWithBounds(hodgesLehmann)
    : percentWithInterval(hodgesLehmann);
}

function numeric(text: string): TableCell {
  return { text, className: "number" };
}
