import type { ResultRecord } from "../record/index.js";
import type { ClaimSummary } from "./claim-summary.js";
import { shellWord } from "./shell-word.js";
import type { StreamingSummary } from "./streaming-summary.js";

/** Where a record is, and how commands are called there. */
export interface RunPlace {
  /** The record's file, as a command takes it. */
  readonly recordPath: string;
  /** The folder that it is in. */
  readonly folder: string;
  /** `pnpm streamgauge` in this workspace, `npx streamgauge` elsewhere. */
  readonly benchCommand: string;
  /** `pnpm report` in this workspace, `npx streamgauge-report` elsewhere. */
  readonly reportCommand: string;
  /** What the plan of a record does not know, such as modules: arguments of `bench`. */
  readonly arguments?: readonly string[];
  /** Flags of `bench` that give the endpoint of the run again, which no record holds. */
  readonly endpointArguments?: readonly string[];
}

/** What to run next, and what for. */
export interface NextStep {
  /** `--resume` measures the rest; the others are new commands. */
  readonly kind: "resume" | "decide" | "explain" | "confirm" | "widen" | "verify";
  /** In words: `to confirm it`. */
  readonly why: string;
  readonly command: string;
}

/** The profile that measures more, by name. */
const larger: Readonly<Record<string, string>> = { quick: "standard", standard: "full" };

/** An interrupted run is ended first; then what is open is decided, and what is refuted explained. */
export function nextStep(
  record: ResultRecord,
  claims: readonly ClaimSummary[],
  streaming: StreamingSummary | null,
  place: RunPlace,
): NextStep {
  const { benchCommand, folder } = place;
  const modules = (place.arguments ?? []).map(shellWord);
  const bench = (...words: string[]): string =>
    [benchCommand, "bench", ...modules, ...words].join(" ");
  if (record.status !== "complete") {
    const endpoint = endpointAgain(record, place).map(shellWord);
    const command = bench("--resume", shellWord(folder), ...endpoint);
    return { kind: "resume", why: "to measure the rest", command };
  }
  const verify: NextStep = {
    kind: "verify",
    why: "to check the record",
    command: `${benchCommand} verify ${shellWord(folder)}`,
  };
  // No preset measures an endpoint more thoroughly, and no profiler reaches into it.
  if (record.plan.endpoint !== undefined) return verify;
  const chosen = chosenIn(record);
  const isOpen = claims.some((claim) => claim.inconclusive.length + claim.void.length > 0);
  const isRefuted = claims.some(({ refuted }) => refuted.length > 0);
  const more = larger[record.profile];
  if (isOpen && more !== undefined) {
    const command = bench(...chosen, "--profile", more);
    return { kind: "decide", why: "to decide the rest", command };
  }
  if (isRefuted && streaming !== null) {
    const scenarios = record.plan.scenarios ?? [streaming.scenario];
    const asked = chosenIn({ plan: { ...record.plan, scenarios, tokens: [streaming.tokens] } });
    const command = bench(...asked, "--cpu-profile");
    return { kind: "explain", why: "to see where time goes", command };
  }
  if (more !== undefined && record.cells.length > 0) {
    const [kind, why] =
      record.profile === "quick"
        ? (["confirm", "to confirm it"] as const)
        : (["widen", "to measure more"] as const);
    return { kind, why, command: bench(...chosen, "--profile", more) };
  }
  return verify;
}

/** What to give again, as far as the record knows, where nobody says it. */
function endpointAgain({ plan: { endpoint } }: ResultRecord, place: RunPlace): readonly string[] {
  if (endpoint === undefined) return [];
  const { against } = endpoint;
  const asked = [
    "--url",
    "<address>",
    ...(against === undefined ? [] : ["--against", "<address>"]),
  ];
  return place.endpointArguments ?? asked;
}

/** Scenarios, model and token counts, where not those of the profile. */
function chosenIn({ plan }: Pick<ResultRecord, "plan">): string[] {
  const { scenarios, model, dtype, tokens } = plan;
  return [
    ...(scenarios === null ? [] : ["--scenario", ...scenarios.map(shellWord)]),
    ...(model === null ? [] : ["--model", shellWord(model)]),
    ...(dtype === undefined ? [] : ["--dtype", shellWord(dtype)]),
    ...(tokens === null ? [] : ["--tokens", ...tokens.map(String)]),
  ];
}
