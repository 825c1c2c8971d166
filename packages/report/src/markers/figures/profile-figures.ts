import { profilesOfKind, type ProfileFindings, type ProfileOf } from "@streamgauge/bench/record";
import {
  duration,
  oneDecimal,
  percent,
  percentWithInterval,
  wholeBytes,
} from "../../text/numbers.js";
import { countOf, lacks, oneOf, type Figure, type FigureRequest } from "../figure.js";
import { modeOf, percentileOf } from "./cell-figures.js";
import { listOf } from "./claim-figures.js";

type Kind = ProfileFindings["kind"];

const kinds: readonly Kind[] = [
  "cpuProfile",
  "allocations",
  "timeline",
  "asyncActivity",
  "operators",
  "ledger",
];

/** What instruments saw of a generator in one mode. */
export const profileFigures: Readonly<Record<string, Figure>> = {
  "profile-cost": {
    about: `what an instrument costs, with its interval; kind=${kinds.join("|")}`,
    form: "text",
    needs: ["kind", "generator", "mode"],
    render: (request) => {
      const kind = oneOf(request, "kind", kinds);
      const { overhead } = profileOf(request, kind).cost;
      return percentWithInterval(
        overhead?.hodgesLehmann ?? lacks(request, `interval of the cost of ${kind}`),
      );
    },
  },
  ledger: of("ledger", "a stage of a token's way, a percentile", ["stage", "p"], {
    render: (request, { findings }) => {
      const names = [...findings.stages.map(({ stage }) => stage), "residual"];
      const stage = oneOf(request, "stage", names);
      const found = findings.stages.find((candidate) => candidate.stage === stage);
      return percentileOf(request, found?.latency ?? findings.residual);
    },
  }),
  "busy-per-token": of("cpuProfile", "time a thread was not idle, per token", ["thread"], {
    render: (request, { findings }) => {
      const found = ofThread(request, findings.threads);
      return `${oneDecimal(found[0].busyMicrosecondsPerToken)} µs`;
    },
  }),
  "whose-code": of("cpuProfile", "whose code a thread was in, the most first", ["thread"], {
    takes: ["count"],
    render: (request, { findings }) =>
      listOf(
        ofThread(request, findings.categories)
          .slice(0, countOf(request, "count", 3))
          .map(({ category, fraction }) => `${category} ${percent(fraction)}`),
      ),
  }),
  "hottest-functions": of("cpuProfile", "where a thread was most", ["thread"], {
    takes: ["count", "category"],
    render: (request, { findings }) => {
      const category = request.value("category");
      const all = ofThread(request, findings.hotFunctions);
      const wanted = all.filter((found) => category === "" || found.category === category);
      if (wanted.length === 0) return `none of the ${all.length} hottest of the thread`;
      return listOf(
        wanted.slice(0, countOf(request, "count", 3)).map(({ name, selfMicrosecondsPerToken }) => {
          return `${name} ${oneDecimal(selfMicrosecondsPerToken)} µs`;
        }),
      );
    },
  }),
  operators: of("operators", "the model's slowest operators", [], {
    takes: ["count"],
    render: (request, { findings }) =>
      listOf(
        findings.operators
          .slice(0, countOf(request, "count", 3))
          .map(({ operator, fraction }) => `${operator} ${percent(fraction)}`),
      ),
  }),
  allocated: of("allocations", "bytes that a thread allocates per token", ["thread"], {
    render: (request, { findings }) =>
      wholeBytes(ofThread(request, findings.threads)[0].bytesPerToken),
  }),
  promises: of("asyncActivity", "promises that a thread makes per token", ["thread"], {
    render: (request, { findings }) =>
      ofThread(request, findings.threads)[0].promisesPerToken.toFixed(1),
  }),
  "slowest-gaps": of("timeline", "the longest times between tokens, and why", [], {
    takes: ["count"],
    render: (request, { findings }) =>
      listOf(
        findings.slowestGaps
          .slice(0, countOf(request, "count", 3))
          .map(({ gapNanoseconds, cause }) => {
            return `${duration(gapNanoseconds)} (${cause ?? "unknown"})`;
          }),
      ),
  }),
};

function of<K extends Kind>(
  kind: K,
  about: string,
  needs: readonly string[],
  {
    takes = [],
    render,
  }: {
    readonly takes?: readonly string[];
    readonly render: (request: FigureRequest, profile: ProfileOf<K>) => string;
  },
): Figure {
  return {
    about: `${kind}: ${about}`,
    form: "text",
    needs: ["generator", "mode", ...needs],
    takes: ["tokens", ...takes],
    render: (request) => render(request, profileOf(request, kind)),
  };
}

function profileOf<K extends Kind>(request: FigureRequest, kind: K): ProfileOf<K> {
  const mode = modeOf(request);
  const generator = request.value("generator");
  const tokens = countOf(request, "tokens", 0);
  const there = profilesOfKind(request.record, kind);
  const found = there.find(
    (profile) =>
      profile.treatment === mode &&
      profile.generator === generator &&
      (tokens === 0 || profile.tokens === tokens),
  );
  return (
    found ??
    lacks(
      request,
      `${kind} of ${mode} on ${generator}`,
      there.map((profile) => `${profile.treatment} on ${profile.generator}`),
    )
  );
}

/** What was found of the thread that a marker names. */
function ofThread<Found extends { readonly thread: string }>(
  request: FigureRequest,
  findings: readonly Found[],
): [Found, ...Found[]] {
  const thread = request.value("thread");
  const [first, ...rest] = findings.filter((candidate) => candidate.thread === thread);
  const there = [...new Set(findings.map((candidate) => candidate.thread))];
  return first === undefined ? lacks(request, `thread ${thread}`, there) : [first, ...rest];
}
