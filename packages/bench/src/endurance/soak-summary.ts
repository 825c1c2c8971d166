import { drawTable, terminalText } from "../terminal/terminal-text.js";
import type { MemoryCourse, SoakReport } from "./soak.js";

const sparks = { unicode: "▁▂▃▄▅▆▇█", ascii: "_.-=+*%#" };
const sparklineColumns = 40;

/** A soak for a terminal: how much ran, and how each kind of memory went. */
export function renderSoak(
  { streams, tokens, seconds, seed, samples, courses }: SoakReport,
  options: { readonly unicode: boolean },
): string {
  const head = ["memory", "course", "first", "last", "per 1,000 streams", "allowed", "verdict"];
  const rows = courses.map((course) => [
    course.name,
    sparkline(course.bytes, options.unicode ? sparks.unicode : sparks.ascii),
    megabytes(course.bytes[0]),
    megabytes(course.bytes.at(-1)),
    showSlope(course),
    `< ${course.allowance} bytes`,
    course.verdict,
  ]);
  const text = [
    `${streams} streams, ${tokens} tokens made, ${seconds.toFixed(1)} s, ${samples.length} samples, seed ${seed}`,
    drawTable(head, rows, options),
    "Slope and 95 % interval in bytes, after a quarter of the streams; from the means of ten batches.",
  ].join("\n");
  return `${terminalText(text, options)}\n`;
}

/** Whether every kind of memory is shown to be flat. */
export function isFlat({ courses }: SoakReport): boolean {
  return courses.every(({ verdict }) => verdict === "flat");
}

/** The course of values between their smallest and their largest, one character for each or for several. */
export function sparkline(values: readonly number[], levels: string): string {
  const columns = Math.min(sparklineColumns, values.length);
  const lowest = Math.min(...values);
  const range = Math.max(...values) - lowest || 1;
  return Array.from({ length: columns }, (_, column) => {
    const value = values[Math.floor(((column + 0.5) * values.length) / columns)] ?? lowest;
    return levels[Math.round(((value - lowest) / range) * (levels.length - 1))];
  }).join("");
}

function showSlope({ slope }: MemoryCourse): string {
  if (slope === undefined) return "-";
  const { value, interval95 } = slope;
  return `${value.toFixed(0)} [${interval95.lower.toFixed(0)}, ${interval95.upper.toFixed(0)}]`;
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "-" : `${(bytes / 1e6).toFixed(2)} MB`;
}
