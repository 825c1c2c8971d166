import {
  engineComparison,
  type EngineComparison,
  type EngineMeasurement,
  type Estimate,
} from "@streamgauge/bench/record";
import { ratio, ratioWithInterval } from "../../text/numbers.js";
import { lacks, type Figure, type FigureRequest } from "../figure.js";

/** The engine against others. `of` is the id of a measurement, such as `decode-q4-64`. */
export const engineFigures: Readonly<Record<string, Figure>> = {
  "engine-ratio": {
    about: "what the first contender took over what the other took, with its interval",
    form: "text",
    needs: ["of"],
    render: (request) => showRatio(comparisonIn(request, measurementOf(request))),
  },
  "engine-factor": {
    about: "how many times as much the other took as the first contender, with its interval",
    form: "text",
    needs: ["of"],
    render: (request) => showFactor(comparisonIn(request, measurementOf(request))),
  },
};

/** The ratio, or the range of quotients where there are too few runs for an interval. */
export function showRatio({ ratio: found, smallestRatio, largestRatio }: EngineComparison): string {
  if (found !== null) return ratioWithInterval(found.hodgesLehmann);
  return `${ratio(smallestRatio)} to ${ratio(largestRatio)} (range)`;
}

/** How many times as much the other took: the inverse, its bounds exchanged. */
export function showFactor({
  ratio: found,
  smallestRatio,
  largestRatio,
}: EngineComparison): string {
  if (found === null) return `${ratio(1 / largestRatio)} to ${ratio(1 / smallestRatio)} (range)`;
  const inverse = ({ value, interval95, bounds95 }: Estimate): Estimate => ({
    value: 1 / value,
    interval95: { lower: 1 / interval95.upper, upper: 1 / interval95.lower },
    bounds95: { lower: 1 / bounds95.upper, upper: 1 / bounds95.lower },
  });
  return ratioWithInterval(inverse(found.hodgesLehmann));
}

/** The first contender against what it is compared with; undefined where nothing is compared. */
export function mainComparison(measurement: EngineMeasurement): EngineComparison | undefined {
  const [first] = measurement.contenders;
  const [against] = first?.comparisons ?? [];
  return first && engineComparison(measurement, first.contender, against?.against ?? "");
}

function measurementOf(request: FigureRequest): EngineMeasurement {
  const { engine = [] } = request.record;
  const id = request.value("of");
  return (
    engine.find((measurement) => measurement.id === id) ??
    lacks(
      request,
      `measurement ${id} of the engine`,
      engine.map((measurement) => measurement.id),
    )
  );
}

function comparisonIn(request: FigureRequest, measurement: EngineMeasurement): EngineComparison {
  return mainComparison(measurement) ?? lacks(request, `comparison in ${measurement.id}`);
}
