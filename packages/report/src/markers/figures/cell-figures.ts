import {
  treatments,
  type Cell,
  type Comparison,
  type DistributionMetric,
  type ResultRecord,
  type Treatment,
  type TreatmentSummary,
} from "@streamgauge/bench/record";
import { comparisonOf, distributionOf } from "@streamgauge/bench/tables";
import {
  duration,
  percent,
  percentWithBounds,
  percentWithInterval,
  withInterval,
} from "../../text/numbers.js";
import { lacks, oneOf, type Figure, type FigureRequest } from "../figure.js";

/** What was measured in one cell, in one mode. */
export const cellFigures: Readonly<Record<string, Figure>> = {
  overhead: comparison("overhead against generate, with its interval", ({ overhead }) =>
    percentWithInterval(overhead.hodgesLehmann),
  ),
  difference: comparison("the same with its 90 % interval, to two places", ({ overhead }) =>
    percentWithBounds(overhead.hodgesLehmann),
  ),
  cost: comparison("µs per token against generate, with its interval", (found) => {
    return `${withInterval(found.costMicrosecondsPerToken.hodgesLehmann)} µs`;
  }),
  "detectable-effect": comparison("smallest detectable effect", (found) =>
    percent(found.smallestDetectableEffect),
  ),
  "end-to-end": summary("end-to-end latency", (found) => duration(found.endToEndNanoseconds)),
  busy: summary("event-loop utilisation", (found) => percent(found.eventLoopUtilization)),
  "time-to-first-token": percentile("time to the first token", "timeToFirstToken"),
};

/** The cell that a marker names. */
export function cellOf(request: FigureRequest): Cell {
  const id = request.value("cell");
  const { cells } = request.record;
  return (
    cells.find((cell) => cell.id === id) ??
    lacks(
      request,
      `cell ${id}`,
      cells.map((cell) => cell.id),
    )
  );
}

/** The mode that a marker names, as the API does. */
export function modeOf(request: FigureRequest): Treatment {
  return oneOf(request, "mode", treatments);
}

/** How a token's time would have to be for the limit of its claim; undefined without one. */
export function breakEvenOf(
  { claims }: ResultRecord,
  cell: string,
  treatment: Treatment,
): string | undefined {
  const found = claims.find(
    (claim) => claim.cell === cell && claim.treatment === treatment && claim.metric === "overhead",
  )?.breakEvenMicrosecondsPerToken;
  return found == null ? undefined : duration(found * 1000);
}

function comparison(about: string, show: (found: Comparison) => string): Figure {
  return ofMode(about, (request, cell, mode) => {
    const found = mode === "generate" ? undefined : comparisonOf(cell, mode);
    return show(found ?? lacks(request, `comparison of ${mode} with generate in ${cell.id}`));
  });
}

function summary(about: string, show: (found: TreatmentSummary) => string): Figure {
  return ofMode(about, (request, cell, mode) => {
    const found = cell.analysis?.treatments.find(({ treatment }) => treatment === mode);
    return show(found ?? lacks(request, `analysis of ${mode} in ${cell.id}`));
  });
}

/** A text about one mode of one cell. */
function ofMode(
  about: string,
  render: (request: FigureRequest, cell: Cell, mode: Treatment) => string,
): Figure {
  return {
    about,
    form: "text",
    needs: ["cell", "mode"],
    render: (request) => render(request, cellOf(request), modeOf(request)),
  };
}

const percentiles = {
  "50": "p50Nanoseconds",
  "90": "p90Nanoseconds",
  "99": "p99Nanoseconds",
  "99.9": "p999Nanoseconds",
  max: "maximumNanoseconds",
} as const;

/** The percentile of a distribution that a marker names by `p`. */
export function percentileOf(
  request: FigureRequest,
  found: { readonly [Field in (typeof percentiles)[keyof typeof percentiles]]: number },
): string {
  const names = Object.keys(percentiles) as (keyof typeof percentiles)[];
  return duration(found[percentiles[oneOf(request, "p", names)]]);
}

function percentile(about: string, metric: DistributionMetric): Figure {
  return {
    about: `${about}, a percentile`,
    form: "text",
    needs: ["cell", "mode", "p"],
    render: (request) => {
      const cell = cellOf(request);
      const mode = modeOf(request);
      const found = distributionOf(cell, mode, metric);
      return percentileOf(request, found ?? lacks(request, `${metric} of ${mode} in ${cell.id}`));
    },
  };
}
