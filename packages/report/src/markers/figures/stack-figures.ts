import type {
  StackAtSize,
  StackGrowth,
  StackMeasurement,
  StackSummary,
} from "@streamgauge/bench/record";
import { alignedTable } from "../../text/aligned-table.js";
import { duration, ratio, ratioWithInterval } from "../../text/numbers.js";
import { lacks, listIn, type Figure, type FigureRequest } from "../figure.js";

const untilMeasured = "No committed record has it yet.";

/** What libraries cost that carry a stream. */
export const stackFigures: Readonly<Record<string, Figure>> = {
  "stack-costs": {
    about:
      "table: CPU time per token that some stacks add to what they are built on, in a burst; " +
      'tokens=1000,10000 stacks="ai textStream, …"',
    form: "block",
    needs: ["tokens", "stacks"],
    untilMeasured,
    render(request) {
      const { burst } = measurementsOf(request);
      const names = burst.stacks.map(({ stack }) => stack);
      const chosen = listIn(request, "stacks").map(
        (name) =>
          burst.stacks.find(({ stack }) => stack === name) ??
          lacks(request, `stack "${name}"`, names),
      );
      return alignedTable(
        ["CPU per token", ...chosen.map(titleOf)],
        listIn(request, "tokens").map((tokens) => [
          `${Number(tokens).toLocaleString("en")} tokens`,
          ...chosen.map((summary) => {
            const size = summary.sizes.find((one) => String(one.tokens) === tokens);
            const added = (size ?? lacks(request, `stacks at ${tokens} tokens`))
              .addedCpuMicrosecondsPerToken;
            return added === null ? "–" : `${ratioWithInterval(added.hodgesLehmann)} µs`;
          }),
        ]),
      );
    },
  },
  "stack-table": {
    about: "table: what each stack costs, at the token counts of a burst, and at a pace",
    form: "block",
    needs: [],
    untilMeasured,
    render(request) {
      const { burst, pace } = measurementsOf(request);
      const counts = burst.stacks[0]?.sizes.map(({ tokens }) => tokens.toLocaleString("en")) ?? [];
      return alignedTable(
        [
          "stack",
          `CPU per token at ${counts.join(" / ")} tokens`,
          "CPU grows as tokens^",
          "bytes per token",
          "delay at a pace, p50",
          "p99",
        ],
        burst.stacks.map((summary) => {
          const { stack, sizes, cpuGrowth } = summary;
          const paced = pace?.stacks.find((other) => other.stack === stack)?.sizes.at(-1);
          return [
            titleOf(summary),
            `${each(sizes, (size) => ratio(size.cpuMicrosecondsPerToken))} µs`,
            growthOf(cpuGrowth),
            each(sizes, (size) => size.allocatedBytesPerToken?.toFixed(0) ?? "–"),
            duration(paced?.deliveryLatency?.p50Nanoseconds ?? null),
            duration(paced?.deliveryLatency?.p99Nanoseconds ?? null),
          ];
        }),
      );
    },
  },
};

function titleOf({ stack, library }: StackSummary): string {
  return library === null ? stack : `${stack} (${library.version})`;
}

/** The one with several token counts, and the one at a pace. */
function measurementsOf(request: FigureRequest): {
  readonly burst: StackMeasurement;
  readonly pace: StackMeasurement | undefined;
} {
  const { stacks = [] } = request.record;
  const isBurst = ({ stacks: [first] }: StackMeasurement): boolean =>
    (first?.sizes.length ?? 0) > 1;
  const burst = stacks.find(isBurst) ?? lacks(request, "stacks at several token counts");
  return { burst, pace: stacks.find((measurement) => !isBurst(measurement)) };
}

function each(sizes: readonly StackAtSize[], show: (size: StackAtSize) => string): string {
  return sizes.map(show).join(" / ");
}

function growthOf(growth: StackGrowth | null): string {
  if (growth === null) return "–";
  const { estimates, exponent, order } = growth;
  if (estimates === null) return ratio(exponent);
  return `${ratioWithInterval(estimates.hodgesLehmann)}, ${order}`;
}
