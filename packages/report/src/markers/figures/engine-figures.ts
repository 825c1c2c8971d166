import type { EngineComparison, EngineMeasurement } from "@streamgauge/bench/record";
import { engineRatio, type EngineRatio, type Interval } from "@streamgauge/bench/tables";
import { showValue } from "../../text/show-value.js";
import { lacks, type Figure, type FigureRequest } from "../figure.js";

/**
 * The engine against others. `of` is the id of a measurement, such as `decode-q4-64`; `against` one of
 * those that its first contender is compared with, by default the first.
 */
export const engineFigures: Readonly<Record<string, Figure>> = {
  "engine-ratio": {
    about: "what the first contender took over what the other took, with its interval",
    form: "text",
    needs: ["of"],
    takes: ["against"],
    render: (request) => showRatio(comparisonIn(request, measurementOf(request))),
  },
  "engine-factor": {
    about: "how many times as much the other took as the first contender, with its interval",
    form: "text",
    needs: ["of"],
    takes: ["against"],
    render: (request) => showFactor(comparisonIn(request, measurementOf(request))),
  },
};

/** The ratio, or the range of quotients where there are too few runs for an interval. */
export function showRatio(compared: EngineRatio): string {
  return showValue(engineRatio(compared));
}

/** How many times as much the other took: the inverse, its bounds exchanged. */
export function showFactor({ ratio: found, smallestRatio, largestRatio }: EngineRatio): string {
  return showRatio({
    ratio: found && { hodgesLehmann: inverseOf(found.hodgesLehmann) },
    smallestRatio: 1 / largestRatio,
    largestRatio: 1 / smallestRatio,
  });
}

function inverseOf({ value, interval95: { lower, upper } }: Interval): Interval {
  return { value: 1 / value, interval95: { lower: 1 / upper, upper: 1 / lower } };
}

/** The first contender against each that it is compared with; none where nothing is compared. */
export function mainComparisons({ contenders }: EngineMeasurement): readonly EngineComparison[] {
  return contenders[0]?.comparisons ?? [];
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
  const compared = mainComparisons(measurement);
  const against = request.value("against");
  const found = against === "" ? compared[0] : compared.find((each) => each.against === against);
  return (
    found ??
    lacks(
      request,
      against === ""
        ? `comparison in ${measurement.id}`
        : `comparison with ${against} in ${measurement.id}`,
      compared.map((each) => each.against),
    )
  );
}
