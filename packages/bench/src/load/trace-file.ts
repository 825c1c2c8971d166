import { extname } from "node:path";
import { invalidOption, resolvePrompt, type Prompt } from "@streamgauge/core";
import { mapLines, oneOfNames, optionalCount, parseObject, readText } from "./file-lines.js";
import type { ListedRequest } from "./request-mix.js";

/** A trace, by the order in which its requests are due. */
export interface Trace {
  /** After the first request, which is due at once. */
  readonly dueNanoseconds: readonly number[];
  /** One for each. */
  readonly requests: readonly ListedRequest[];
}

/** What of a trace is replayed. */
export interface TraceOptions {
  /** Trace seconds in a second; above 0. Default 1. */
  readonly speed?: number | undefined;
  /** Only requests that are due within so many seconds of the replay. Default: all. */
  readonly seconds?: number | undefined;
}

/** Fields that make a request wait for another one: a replay without them would be another load. */
const dependent = ["session_id", "delay", "delay_ms"] as const;

/**
 * Reads a trace.
 *
 * - `.jsonl`, as Mooncake's (FAST '25): `timestamp` in milliseconds, `input_length`,
 *   `output_length`, and `hash_ids` where prompts share beginnings. `input_tokens` and
 *   `output_tokens` are other names; `prompt` or `messages` instead of a length is sent as it is.
 *   Other fields are passed over, except those that make requests wait for each other.
 * - `.csv`, as BurstGPT's: the columns `Timestamp` in seconds, `Request tokens`, `Response tokens`.
 *
 * Lines need not be in order.
 *
 * @throws StreamgaugeError `INVALID_OPTION` naming the file and the line
 */
export async function readTrace(path: string, options: TraceOptions = {}): Promise<Trace> {
  const { speed = 1, seconds = Infinity } = options;
  if (!(speed > 0 && speed < Infinity)) {
    throw invalidOption(`The speed of the trace is ${speed}; it must be a number above 0.`);
  }
  const text = await readText(path, "trace");
  const entries = (isCsv(path) ? parseCsv(text, path) : mapLines(text, path, parseLine)).toSorted(
    (one, other) => one.seconds - other.seconds,
  );
  const begin = entries[0]?.seconds ?? 0;
  const replayed = entries
    .map((entry) => ({ ...entry, seconds: (entry.seconds - begin) / speed }))
    .filter((entry) => entry.seconds < seconds);
  if (replayed.length === 0) {
    throw invalidOption(`${path} has no requests: a trace has one on each line.`);
  }
  return {
    dueNanoseconds: replayed.map((entry) => Math.round(entry.seconds * 1e9)),
    requests: replayed.map(({ request }) => request),
  };
}

interface Entry {
  readonly seconds: number;
  readonly request: ListedRequest;
}

function isCsv(path: string): boolean {
  return extname(path).toLowerCase() === ".csv";
}

function parseLine(line: string): Entry {
  const entry = parseObject(line);
  const waits = dependent.find((name) => entry[name] !== undefined && entry[name] !== null);
  if (waits !== undefined) {
    throw new TypeError(
      `"${waits}" makes a request wait for another one, which this replay does not do: use a trace ` +
        `whose requests are all independent.`,
    );
  }
  const seconds = timeOf(entry["timestamp"], 1e3, "timestamp, in milliseconds,");
  const prompt = promptOf(entry);
  const inputTokens = optionalCount(
    oneOfNames(entry, ["input_length", "input_tokens"]),
    "The input",
  );
  const outputTokens = optionalCount(
    oneOfNames(entry, ["output_length", "output_tokens"]),
    "The output",
  );
  if (outputTokens === undefined) throw new TypeError("It has no output_length.");
  if (prompt !== undefined) return { seconds, request: { prompt, outputTokens } };
  if (inputTokens === undefined) throw new TypeError("It has no input_length, and no prompt.");
  const blocks = blocksOf(entry["hash_ids"]);
  return { seconds, request: { inputTokens, outputTokens, ...(blocks && { blocks }) } };
}

function promptOf({ prompt, messages }: Readonly<Record<string, unknown>>): Prompt | undefined {
  if (prompt !== undefined) return resolvePrompt(prompt as Prompt);
  return messages === undefined ? undefined : resolvePrompt({ messages } as Prompt);
}

function blocksOf(ids: unknown): readonly number[] | undefined {
  if (ids === undefined || ids === null) return undefined;
  if (Array.isArray(ids) && ids.every((id) => Number.isSafeInteger(id) && (id as number) >= 0)) {
    return ids as number[];
  }
  throw new TypeError("hash_ids must be an array of integers ≥ 0.");
}

function parseCsv(text: string, path: string): readonly Entry[] {
  const [head = "", ...lines] = text.split(/\r?\n/);
  const columns = head.split(",").map((name) => name.trim().toLowerCase());
  const [time, input, output] = ["timestamp", "request tokens", "response tokens"].map((name) => {
    const place = columns.indexOf(name);
    if (place !== -1) return place;
    throw invalidOption(
      `${path} has no column "${name}": a trace in CSV has Timestamp, Request tokens and Response ` +
        `tokens, as BurstGPT's.`,
    );
  });
  // An empty first line stands for the head, so that errors name the right line.
  return mapLines(["", ...lines].join("\n"), path, (line) => {
    const cells = line.split(",").map((cell) => cell.trim());
    const cell = (place: number | undefined): unknown => {
      const value = cells[place ?? -1];
      return value === undefined || value === "" ? value : Number(value);
    };
    return {
      seconds: timeOf(cell(time), 1, "Timestamp, in seconds,"),
      request: {
        inputTokens: required(cell(input), "Request tokens"),
        outputTokens: required(cell(output), "Response tokens"),
      },
    };
  });
}

/** BurstGPT marks failed requests with a response of 0 tokens. */
function required(value: unknown, name: string): number {
  const count = optionalCount(value, name);
  if (count !== undefined) return count;
  throw new TypeError(`${name} is missing.`);
}

function timeOf(value: unknown, perSecond: number, name: string): number {
  if (typeof value === "number" && value >= 0 && value < Infinity) return value / perSecond;
  throw new TypeError(`${name} is ${JSON.stringify(value)}; it must be a number ≥ 0.`);
}
