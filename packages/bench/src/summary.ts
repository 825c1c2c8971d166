import { createColors } from "picocolors";
import type {
  Cell,
  ClaimMetric,
  ClaimResult,
  Comparison,
  Estimate,
  ResultRecord,
  Verdict,
} from "./record.js";
import { drawTable, toAscii } from "./terminal-text.js";

/** What the terminal can show, and where the record is. */
export interface SummaryOptions {
  readonly color: boolean;
  /** Without it the text is plain ASCII. */
  readonly unicode: boolean;
  readonly recordPath: string;
}

/** The outcome of a run for a terminal: verdicts first. */
export function renderSummary(record: ResultRecord, options: SummaryOptions): string {
  const text = [
    verdicts(record, options),
    calibration(record, options),
    costs(record, options),
    mainThread(record, options),
    controls(record),
    attention(record),
    [
      `Recording one token takes ${record.instrument.recordingNanoseconds} ns (median); streaming is charged with it.`,
      `Run ${record.runId} (profile ${record.profile}, seed ${record.seed}): ${record.status}.`,
      `Record: ${options.recordPath}`,
    ],
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
  return `\n${options.unicode ? text : toAscii(text)}\n`;
}

function verdicts(record: ResultRecord, options: SummaryOptions): string[] {
  if (record.claims.length === 0) return [];
  return [
    ...verdictTable(record, "overhead", options),
    ...verdictTable(record, "absoluteCost", options),
    ...verdictTable(record, "difference", options),
    ...unsettled(record.claims),
  ];
}

function verdictTable(
  { cells, claims }: ResultRecord,
  metric: ClaimMetric,
  options: SummaryOptions,
): string[] {
  const { title, name, estimateOf, show, showRange, showLimit } = claimMetrics[metric];
  const rows = claims
    .filter((claim) => claim.metric === metric)
    .map((claim) => {
      const cell = cells.find(({ id }) => id === claim.cell);
      const comparison = comparisonOf(cell, claim.treatment);
      return [
        cell?.model ?? "-",
        modeNames[claim.treatment],
        String(cell?.tokens ?? 0),
        comparison === undefined ? "-" : show(estimateOf(comparison).value),
        comparison === undefined ? "-" : showRange(estimateOf(comparison)),
        comparison === undefined ? "-" : String(comparison.blocks),
        showLimit(claim.limit),
        showVerdict(claim.verdict, options.color),
      ];
    });
  if (rows.length === 0) return [];
  const interval = `${metric === "difference" ? 90 : 95} % interval`;
  const head = ["model", "mode", "tokens", name, interval, "blocks", "limit", "verdict"];
  return [title, drawTable(head, rows, options)];
}

/** What the bench made of delays that were known. */
function calibration(
  { calibration: points = [] }: ResultRecord,
  options: SummaryOptions,
): string[] {
  if (points.length === 0) return [];
  const rows = points.map((point) => [
    percent(point.injectedFraction),
    modeNames[point.treatment],
    showEstimate(point.overhead.hodgesLehmann),
    showEstimate(point.overhead.mean),
    point.recovered ? "yes" : "no",
    String(point.verdicts.upheld),
    String(point.verdicts.refuted),
    String(point.verdicts.inconclusive),
    String(point.verdicts.void),
  ]);
  const head = [
    "injected",
    "mode",
    "Hodges–Lehmann [95 %]",
    "mean [95 %]",
    "recovered",
    "upheld",
    "refuted",
    "inconcl.",
    "void",
  ];
  const { limit, blocksPerExperiment } = points[0] ?? { limit: 0, blocksPerExperiment: 0 };
  return [
    `Known delays, and verdicts on "< ${percent(limit)}" by experiments of ${blocksPerExperiment} blocks:`,
    drawTable(head, rows, options),
  ];
}

function showEstimate({ value, interval95: { lower, upper } }: Estimate): string {
  return `${percent(value)} [${(lower * 100).toFixed(1)}, ${(upper * 100).toFixed(1)}]`;
}

/** Why a claim was not upheld, in the words of the record. */
function unsettled(claims: readonly ClaimResult[]): string[] {
  return claims
    .filter(({ verdict }) => verdict !== "upheld")
    .map(({ cell, treatment, verdict, reasons }) =>
      [`${cell}, ${modeNames[treatment]}: ${verdict}.`, ...reasons].join(" "),
    );
}

function costs({ cells }: ResultRecord, options: SummaryOptions): string[] {
  const rows = cells
    .filter(({ analysis }) => analysis !== null)
    .map((cell) => [
      cell.model,
      cell.host,
      String(cell.tokens),
      (cell.analysis?.treatments[0]?.throughputTokensPerSecond ?? 0).toFixed(0),
      showCost(comparisonOf(cell, "stream")),
      showCost(comparisonOf(cell, "streamAsync")),
    ]);
  if (rows.length === 0) return [];
  const head = ["model", "host", "tokens", "generate, tokens/s", "sync stream", "async stream"];
  return ["Absolute cost of streaming, µs per token [95 %]:", drawTable(head, rows, options)];
}

function mainThread({ mainThread: measurements }: ResultRecord, options: SummaryOptions): string[] {
  const rows = measurements.map(({ timer, ...measurement }) => [
    measurement.model,
    measurement.host,
    modeNames[measurement.treatment],
    percent(measurement.eventLoopUtilization),
    measurement.throughputTokensPerSecond.toFixed(0),
    `${timer.fires} of ${timer.expectedFires}`,
    milliseconds(timer.p50LatenessNanoseconds),
    milliseconds(timer.p99LatenessNanoseconds),
    milliseconds(timer.maximumLatenessNanoseconds),
  ]);
  const period = measurements[0]?.timer.periodMilliseconds;
  if (period === undefined) return [];
  const head = ["model", "host", "mode", "busy", "tokens/s"];
  const timerHead = [`${period} ms timer fired`, "late p50", "p99", "max"];
  return [
    "The main thread meanwhile (busy: event-loop utilisation):",
    drawTable([...head, ...timerHead], rows, options),
  ];
}

function controls({ cells }: ResultRecord): string[] {
  return cells.flatMap((cell) => {
    const control = comparisonOf(cell, "control");
    if (control === undefined) return [];
    const { hodgesLehmann } = control.overhead;
    const line = `Control, ${cell.id}: generate against itself ${percent(hodgesLehmann.value)}`;
    return [`${line} [${percentRange(hodgesLehmann)}], ${control.blocks} blocks`];
  });
}

/** What a reader should know before believing the numbers. */
function attention({ cells, environment }: ResultRecord): string[] {
  return [
    ...environment.advice.map((advice) => `Advice: ${advice}.`),
    ...cells
      .filter(({ failure }) => failure !== null)
      .map((cell) => `Failed, ${cell.id}: ${cell.failure?.code} ${cell.failure?.message}`),
    ...cells
      .filter(({ warmUp, status }) => status === "complete" && !warmUp.steady)
      .map(({ id, warmUp }) => {
        return `Not steady, ${id}: still trending after ${warmUp.blocksDropped} warm-up blocks.`;
      }),
  ];
}

interface ShownMetric {
  readonly title: string;
  /** Head of the column. */
  readonly name: string;
  readonly estimateOf: (comparison: Comparison) => Estimate;
  readonly show: (value: number) => string;
  readonly showRange: (estimate: Estimate) => string;
  readonly showLimit: (limit: number) => string;
}

const claimMetrics: Readonly<Record<ClaimMetric, ShownMetric>> = {
  overhead: {
    title: "Overhead against generate(), T = end-to-end latency:",
    name: "overhead",
    estimateOf: ({ overhead }) => overhead.hodgesLehmann,
    show: percent,
    showRange: percentRange,
    showLimit: (limit) => `< ${(limit * 100).toFixed(0)} %`,
  },
  absoluteCost: {
    title: "Absolute cost against generate(), µs per token:",
    name: "cost",
    estimateOf: ({ costMicrosecondsPerToken }) => costMicrosecondsPerToken.hodgesLehmann,
    show: oneDecimal,
    showRange: ({ interval95: { lower, upper } }) => `${oneDecimal(lower)} to ${oneDecimal(upper)}`,
    showLimit: (limit) => `< ${limit}`,
  },
  difference: {
    title: "No difference where there is none (90 % interval within the limit):",
    name: "difference",
    estimateOf: ({ overhead }) => overhead.hodgesLehmann,
    show: twoDecimals,
    showRange: ({ bounds95: { lower, upper } }) => `${twoDecimals(lower)} to ${twoDecimals(upper)}`,
    showLimit: (limit) => `± ${twoDecimals(limit)}`,
  },
};

const modeNames = {
  generate: "generate",
  control: "generate again",
  stream: "sync stream",
  streamAsync: "async stream",
} as const;

function comparisonOf(
  cell: Cell | undefined,
  treatment: Comparison["treatment"],
): Comparison | undefined {
  return cell?.analysis?.comparisons.find((candidate) => candidate.treatment === treatment);
}

function showVerdict(verdict: Verdict, color: boolean): string {
  const colors = createColors(color);
  switch (verdict) {
    case "upheld":
      return colors.green(verdict);
    case "refuted":
      return colors.red(verdict);
    case "inconclusive":
    case "void":
      return colors.yellow(verdict);
    default:
      return verdict satisfies never;
  }
}

function showCost(comparison: Comparison | undefined): string {
  if (comparison === undefined) return "-";
  const { value, interval95 } = comparison.costMicrosecondsPerToken.hodgesLehmann;
  const [shown, lower, upper] = [value, interval95.lower, interval95.upper].map(oneDecimal);
  return `${shown} [${lower}, ${upper}]`;
}

function percent(fraction: number): string {
  return `${oneDecimal(fraction * 100)} %`;
}

function percentRange({ interval95 }: Estimate): string {
  return `${oneDecimal(interval95.lower * 100)} to ${percent(interval95.upper)}`;
}

function twoDecimals(fraction: number): string {
  return `${(fraction * 100).toFixed(2)} %`;
}

/** Without the sign of a zero. */
function oneDecimal(value: number): string {
  const text = value.toFixed(1);
  return text === "-0.0" ? "0.0" : text;
}

function milliseconds(nanoseconds: number | null): string {
  return nanoseconds === null ? "-" : `${(nanoseconds / 1e6).toFixed(2)} ms`;
}
