import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { StreamgaugeError } from "@streamgauge/core";
import {
  profileFileName,
  type Conclusion,
  type Instrument,
  type InstrumentSetting,
} from "./instrument.js";
import { ObservingRecorder } from "./observing-recorder.js";
import { SessionRunReader, summarizeOperators, type OperatorEvent } from "./operator-summary.js";

/**
 * Opens a second generator whose session keeps onnxruntime's operator profile:
 * that can be chosen only when a session is made. What is summarised is the last
 * observed generation, because the profile has the warm-up in it too.
 *
 * @throws StreamgaugeError `INVALID_OPTION` without onnxruntime, or with several sessions
 */
export async function openOperatorInstrument(setting: InstrumentSetting): Promise<Instrument> {
  const { context, tokens } = setting;
  const { plan, clock } = context;
  if (plan.engine !== "onnx" || (plan.workers ?? 1) !== 1) {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `There is no operator profile of ${plan.id} (engine "${plan.engine}", ${plan.workers ?? 1} ` +
        `workers): only onnxruntime keeps one, for each session. Measure an "onnx" generator with ` +
        `one worker.`,
    );
  }
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-operators-"));
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const generator = await context
    .open({ ...plan, operatorProfile: join(folder, "profile") })
    .catch(async (error: unknown) => {
      await removeFolder();
      throw error;
    });
  let closedGenerator: Promise<void> | undefined;
  // The profile is written when the session is released.
  const closeGenerator = (): Promise<void> => (closedGenerator ??= generator.close());
  let promptTokens = 0;
  return {
    generator,
    recorder: new ObservingRecorder(clock, tokens),
    start: () => Promise.resolve(),
    stop: () => Promise.resolve(),
    keep({ result }) {
      promptTokens = result.usage.promptTokens;
    },
    async conclude(): Promise<Conclusion> {
      await closeGenerator();
      // The prompt's pieces make the first token, each further run one more.
      const runs = Math.ceil(promptTokens / promptTokensPerRun) + tokens - 1;
      const { lines, summary } = await readLastRuns(await onlyFile(folder, plan.id), runs);
      const json = `[\n${lines.join(",\n")}\n]\n`;
      const name = profileFileName(
        setting,
        plan.host === "pooled" ? "worker 0" : "main",
        extension,
      );
      const file = await context.saveFile(name, await promisify(gzip)(json));
      return { files: [file], findings: summarizeOperators(summary, tokens) };
    },
    async close() {
      await closeGenerator();
      await removeFolder();
    },
  };
}

/** The runtime's; another count would take in a run of the generation before, or leave one out. */
const promptTokensPerRun = 256;

/** About 30 kB for each run of the session before compression. */
const extension = "operators.json.gz";

async function onlyFile(folder: string, generator: string): Promise<string> {
  const [file, ...others] = await readdir(folder);
  if (file !== undefined && others.length === 0) return join(folder, file);
  throw new StreamgaugeError(
    "INVALID_OPTION",
    `${generator} wrote ${file === undefined ? "no" : others.length + 1} operator profiles where ` +
      `one was expected: it has to be one session that takes the option.`,
  );
}

/**
 * Reads a profile line by line, because it can be larger than a string may be;
 * onnxruntime puts each event on a line of its own.
 */
async function readLastRuns(file: string, count: number) {
  const reader = new SessionRunReader();
  const runs: { lines: string[]; run: NonNullable<ReturnType<SessionRunReader["read"]>> }[] = [];
  let lines: string[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const text = line.trim().replace(/,$/, "");
    if (!text.startsWith("{")) continue;
    lines.push(text);
    const run = reader.read(JSON.parse(text) as OperatorEvent);
    if (run === undefined) continue;
    runs.push({ lines, run });
    lines = [];
    if (runs.length > count) runs.shift();
  }
  if (runs.length < count) {
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `onnxruntime's operator profile ends after ${runs.length} runs of the session; the last ` +
        `generation alone made ${count}. It keeps a million events: measure fewer tokens or blocks.`,
    );
  }
  return { lines: runs.flatMap((kept) => kept.lines), summary: runs.map(({ run }) => run) };
}
