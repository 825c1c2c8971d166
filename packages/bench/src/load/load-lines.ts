import { createColors } from "picocolors";
import { alignedLines, mostAnswerLines, type AnswerOptions } from "../terminal/answer-lines.js";
import { terminalText } from "../terminal/terminal-text.js";
import type { LoadSummary, Percentiles, StageSummary } from "./load-summary.js";

/** A column of the table, by what there is room for. */
interface Column {
  readonly head: string;
  readonly show: (stage: StageSummary) => string;
}

/**
 * A summary in at most {@link mostAnswerLines} lines of a terminal. Stages and sentences that there is
 * no room for are counted.
 *
 * @param verifyCommand checks the record
 */
export function loadLines(
  summary: LoadSummary,
  verifyCommand: string,
  options: AnswerOptions,
): string[] {
  const shown = (text: string): string => terminalText(text.replaceAll("\n", " "), options);
  const fit = (text: string): string => cut(shown(text), options.width);
  const tail = [`Verify: ${shown(verifyCommand)}`];
  const sentences = sentencesOf(summary).map(fit);
  const room = mostAnswerLines - 2 - tail.reduce((sum, line) => sum + rowsOf(line, options), 0);
  // Two rows of the table at least, and all of them where the sentences leave room.
  const kept = sentences.slice(0, Math.max(0, room - Math.min(2, summary.stages.length)));
  const rows = chosenStages(summary, room - kept.length);
  const left = summary.stages.length - rows.length;
  return [
    titleLine(summary, left, options),
    ...tableLines(summary, rows, options),
    ...kept.map((sentence) => colored(sentence, summary, options)),
    ...tail,
  ];
}

/** As many parts as there is room for. @param left stages that the table has no room for */
function titleLine(
  { status, target, stages, arrivals }: LoadSummary,
  left: number,
  options: AnswerOptions,
): string {
  const sent = stages.reduce((sum, { arrived }) => sum + arrived, 0);
  const parts = [
    `${status === "complete" ? "Load on" : "Interrupted: load on"} ${target}`,
    `${sent} requests`,
    left > 0
      ? `${stages.length - left} of ${stages.length} stages shown`
      : `${stages.length} ${stages.length === 1 ? "stage" : "stages"}`,
    `${arrivals} arrivals`,
  ].map((part) => terminalText(part, options));
  const lines = parts.map((_, cutOff) => parts.slice(0, parts.length - cutOff).join(", "));
  return lines.find(({ length }) => length <= options.width) ?? cut(parts[0] ?? "", options.width);
}

/** The ends of a search, and otherwise the first ones. */
function chosenStages({ stages, foundRate }: LoadSummary, most: number): readonly StageSummary[] {
  if (foundRate === null) return stages.slice(0, Math.max(0, most));
  const ends = [foundRate.metPerSecond, foundRate.missedPerSecond];
  return ends.flatMap((rate) => {
    const last = stages.findLast(({ offer }) => offer === `${rate} per second`);
    return last === undefined ? [] : [last];
  });
}

function tableLines(
  { objective }: LoadSummary,
  rows: readonly StageSummary[],
  options: AnswerOptions,
): string[] {
  if (rows.length === 0) return [];
  const counts: readonly Column[] = [
    { head: "offered", show: ({ offer }) => offer.replace(" per second", "/s") },
    {
      head: "sent",
      show: ({ arrived, offered }) =>
        arrived === offered ? `${arrived}` : `${arrived} of ${offered}`,
    },
    ...(objective === null
      ? [{ head: "done", show: ({ completed }: StageSummary) => String(completed) }]
      : [
          {
            head: "good",
            show: ({ goodShare }: StageSummary) => `${(goodShare * 100).toFixed(1)} %`,
          },
          {
            head: "goodput",
            show: ({ goodputPerSecond }: StageSummary) => `${goodputPerSecond.toFixed(1)}/s`,
          },
        ]),
  ];
  const first = pair("first token p50 / p99", (stage) => stage.timeToFirstToken);
  const between = pair("between tokens", (stage) => stage.interTokenLatency);
  const per = pair("per token", (stage) => stage.timePerOutputToken);
  const whole = pair("end to end", (stage) => stage.endToEnd);
  const candidates: readonly (readonly Column[])[] = [
    [first, between, per, whole],
    [first, between, whole],
    [first, whole],
    [],
  ];
  for (const latencies of candidates) {
    const columns = [...counts, ...latencies];
    const lines = alignedLines(
      [
        columns.map(({ head }) => head),
        ...rows.map((row) => columns.map(({ show }) => show(row))),
      ].map((cells) => cells.map((cell) => terminalText(cell, options))),
    );
    if (latencies.length === 0 || lines.every(({ length }) => length <= options.width))
      return lines;
  }
  return [];
}

function pair(head: string, of: (stage: StageSummary) => Percentiles | null): Column {
  return {
    head,
    show: (stage) => {
      const latency = of(stage);
      if (latency === null) return "-";
      return `${showTime(latency.p50Nanoseconds)} / ${showTime(latency.p99Nanoseconds)}`;
    },
  };
}

/** The most important first. */
function sentencesOf({ errors, foundRate, objective, stages, notes }: LoadSummary): string[] {
  const failed = Object.entries(errors).toSorted(([, one], [, other]) => other - one);
  const sentences: string[] = [];
  if (foundRate !== null && objective !== null) sentences.push(foundSentence(foundRate, objective));
  if (foundRate === null && objective !== null) {
    const missed = stages.filter(({ verdict }) => verdict === "missed").map(({ offer }) => offer);
    sentences.push(
      `Objective: ${objective.limits} for ${percent(objective.share)} of the requests; ` +
        (missed.length === 0
          ? "no stage missed it"
          : `missed at ${[...new Set(missed)].join(", ")}`),
    );
  }
  if (failed.length > 0) {
    sentences.push(`Failed: ${failed.map(([kind, count]) => `${kind} ${count}`).join("; ")}`);
  }
  return [...sentences, ...notes.map((note) => `Note: ${note}`)];
}

function foundSentence(
  { metPerSecond: met, missedPerSecond: missed, conclusion }: NonNullable<LoadSummary["foundRate"]>,
  { limits, share }: NonNullable<LoadSummary["objective"]>,
): string {
  const bracket = met === null ? "no rate met it" : `${met} per second`;
  const end = missed === null ? "" : `; missed at ${missed}`;
  const why = conclusion === "found" ? "" : ` (ended: ${conclusion})`;
  return `Highest rate with ${limits} for ${percent(share)}: ${bracket}${end}${why}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(4))} %`;
}

/** Three digits with the unit that suits them. */
function showTime(nanoseconds: number): string {
  const [value, unit] =
    nanoseconds >= 1e9
      ? [nanoseconds / 1e9, "s"]
      : nanoseconds >= 1e6
        ? [nanoseconds / 1e6, "ms"]
        : [nanoseconds / 1e3, "µs"];
  return `${value >= 100 ? value.toFixed(0) : Number(value.toPrecision(3))} ${unit}`;
}

function rowsOf(line: string, { width }: AnswerOptions): number {
  return Math.max(1, Math.ceil(line.length / width));
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(0, most - 3))}...`;
}

function colored(sentence: string, { foundRate }: LoadSummary, { color }: AnswerOptions): string {
  const colors = createColors(color);
  if (sentence.startsWith("Failed: ")) return colors.red(sentence);
  if (sentence.startsWith("Highest ") && foundRate?.conclusion === "found") {
    return colors.green(sentence);
  }
  return sentence.startsWith("Note: ") ? colors.yellow(sentence) : sentence;
}
