import {
  transportBaselines,
  transportComparison,
  type TransportClaim,
  type TransportMeasurement,
  type TransportSummary,
} from "@streamgauge/bench/record";
import { ratio, ratioWithInterval } from "../../text/numbers.js";
import { countOf, lacks, type Figure, type FigureRequest } from "../figure.js";

/** What ways between two threads cost. `gap` is the sleep before each token in µs, 0 in a burst. */
export const transportFigures: Readonly<Record<string, Figure>> = {
  "transport-cpu": of("CPU time per token", ({ summary }) => {
    return `${ratio(summary.cpuMicrosecondsPerToken)} µs`;
  }),
  "transport-net": of("the same less that of making the tokens, with its interval", (found) => {
    const { request, measurement, summary } = found;
    const { load } = transportBaselines(measurement);
    const added = transportComparison(measurement, summary.transport, load);
    const net = added?.addedCpuMicrosecondsPerToken ?? lacks(request, "run that delivers nothing");
    return `${ratioWithInterval(net.hodgesLehmann)} µs`;
  }),
  "transport-verdict": of(
    "the verdict on the claim about its CPU time, as a word",
    (found) => claimOf(found).verdict,
  ),
  "transport-limit": of("the limit of that claim, a ratio", (found) => ratio(claimOf(found).limit)),
};

interface Found {
  readonly request: FigureRequest;
  readonly measurement: TransportMeasurement;
  readonly summary: TransportSummary;
}

function claimOf({ request, measurement, summary: { transport } }: Found): TransportClaim {
  return (
    measurement.claims.find((claim) => claim.transport === transport) ??
    lacks(request, `claim on ${transport}`)
  );
}

function of(about: string, show: (found: Found) => string): Figure {
  return {
    about: `a transport: ${about}`,
    form: "text",
    needs: ["transport", "gap"],
    render: (request) => {
      const gap = countOf(request, "gap", 0);
      const name = request.value("transport");
      const measured = transportsAt(request, gap);
      for (const measurement of measured) {
        const summary = measurement.transports.find(({ transport }) => transport === name);
        if (summary !== undefined) return show({ request, measurement, summary });
      }
      const there = measured.flatMap(({ transports }) => transports);
      return lacks(
        request,
        `transport ${name} at gap=${gap}`,
        there.map(({ transport }) => `"${transport}"`),
      );
    },
  };
}

/** The measurements of a load. */
export function transportsAt(
  request: FigureRequest,
  gap: number,
): [TransportMeasurement, ...TransportMeasurement[]] {
  const { transports = [] } = request.record;
  const [first, ...rest] = transports.filter(({ gapMicroseconds }) => gapMicroseconds === gap);
  return first === undefined ? lacks(request, `transports at gap=${gap}`) : [first, ...rest];
}
