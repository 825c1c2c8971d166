import { printable, printableJson } from "@streamgauge/core";
import { Command, Option } from "commander";
import { inWords, type ThreadSettings } from "../threads/thread-settings.js";
import type { TuneProgress, TuneReport } from "../tune/tune-model.js";
import type { TunedSettings, TunedSpeed } from "../tune/tune-settings.js";
import {
  addEngineFlags,
  engineOptionsOf,
  modelFolderDescription,
  parseCount,
  type EngineFlags,
} from "./engine-flags.js";
import { interruptible } from "./interruptible.js";
import { startBar } from "./progress-bar.js";

interface TuneFlags extends Pick<EngineFlags, "dtype" | "maxBatch"> {
  readonly workers?: number;
  readonly blocks?: number;
  readonly streams?: number;
  readonly context?: number;
  readonly tokens?: number;
  /** `--save` alone is true. */
  readonly save?: true | "one" | "many";
  readonly json?: true;
}

/** The `tune` command: which threads are fastest for a model on this machine. */
export function tuneCommand(): Command {
  const command = new Command("tune")
    .description("Try how many threads are fastest for a model on this machine, and how they wait.")
    .argument("[folder]", modelFolderDescription);
  return addEngineFlags(command, ["dtype", "maxBatch"])
    .option(
      "--workers <n>",
      "worker threads, each with a copy of the model (default: 1)",
      parseCount,
    )
    .option("--streams <n>", "how many streams are many (default: 8)", parseCount)
    .option("--context <n>", "ids of each prompt (default: 64)", parseCount)
    .option("--tokens <n>", "tokens of each stream (default: 48)", parseCount)
    .option("--blocks <n>", "runs of each of the settings (default: 5)", parseCount)
    .addOption(
      new Option(
        "--save [streams]",
        "keep what is best for one stream, or for many, in the cache folder",
      ).choices(["one", "many"]),
    )
    .option("--json", "print everything that was found as JSON")
    .addHelpText(
      "after",
      `
Loads the model once for each run, in interleaved blocks; nothing else should run meanwhile. Nothing
is written without --save; with it, runtimes that are not told how many threads to take use what was
found. The cache folder is that of STREAMGAUGE_CACHE_DIR, or streamgauge in the user's own. The best is
the simplest of the settings that are within 2 % of the fastest: with fewer threads, then less spinning.

Examples:
  $ streamgauge tune ./models/smol --dtype q4
  $ streamgauge tune hub:owner/name --workers 2 --save many`,
    )
    .action(tune);
}

async function tune(folder: string | undefined, flags: TuneFlags): Promise<void> {
  const display = createDisplay(process.stderr);
  const report = await interruptible(
    async (signal) => {
      const { tuneModel } = await import("../tune/tune-model.js");
      const { workers, blocks, streams, context: contextTokens, tokens } = flags;
      const counts = { workers, blocks, streams, contextTokens, tokens };
      return await tuneModel({
        ...(folder !== undefined && { model: folder }),
        ...engineOptionsOf(flags),
        ...Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined)),
        ...(flags.save !== undefined && { save: flags.save === true ? "one" : flags.save }),
        onProgress: (progress) => display.update(progress),
        signal,
      });
    },
    { display, message: "Interrupted. Nothing was written." },
  );
  if (report === undefined) return;
  const text =
    flags.json === true
      ? printableJson(JSON.stringify(report, undefined, 2))
      : formatTuneReport(report);
  process.stdout.write(`${text}\n`);
}

/** For people: a row for each of the settings, and what is best. */
export function formatTuneReport(report: TuneReport): string {
  return printable(describeReport(report));
}

function describeReport(report: TuneReport): string {
  const { description, cores, blocks, streams, contextTokens, tokens, settings, best } = report;
  const { model, dtype, workers, reasons } = description;
  const head = ["threads", "spinning", "one stream", `${streams} streams`, ""];
  const rows = settings.map((one) => [
    String(one.threads),
    one.threads === 1 ? "–" : one.spinMicroseconds === 0 ? "no" : `${one.spinMicroseconds} µs`,
    describeSpeed(one.one),
    describeSpeed(one.many),
    one.isDefault ? "default" : "",
  ]);
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const lines = [head, ...rows].map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd(),
  );
  return [
    `${model}: ${dtype}, ${counted(workers, "worker")}, ${counted(cores, "core")}; tokens/s behind ` +
      `${contextTokens} ids, ${tokens} tokens a stream, the middle of ${counted(blocks, "block")} (least to most)`,
    ...lines,
    describeBest("one stream", "one", best.one, settings),
    describeBest(`${streams} streams`, "many", best.many, settings),
    `The default is ${reasons.threads ?? "the model's own"}.`,
    report.savedFile === undefined
      ? "Nothing was written. --save keeps the best for one stream, --save many that for many."
      : `Kept in ${report.savedFile}.`,
  ].join("\n");
}

function describeBest(
  what: string,
  streams: "one" | "many",
  best: ThreadSettings,
  settings: readonly TunedSettings[],
): string {
  const speedOf = (isWanted: (one: TunedSettings) => boolean): number | undefined =>
    settings.find(isWanted)?.[streams].tokensPerSecond;
  const fastest = speedOf(
    ({ threads, spinMicroseconds }) =>
      threads === best.threads && spinMicroseconds === best.spinMicroseconds,
  );
  const own = speedOf(({ isDefault }) => isDefault);
  const gain =
    fastest === undefined || own === undefined || fastest === own
      ? "the default"
      : `${(fastest / own).toFixed(2)} times the default`;
  return `best for ${what}: ${inWords(best)}, ${gain}`;
}

function describeSpeed({ tokensPerSecond, least, most }: TunedSpeed): string {
  const digits = tokensPerSecond < 100 ? 1 : 0;
  const [middle, low, high] = [tokensPerSecond, least, most].map((value) => value.toFixed(digits));
  return `${middle} (${low} to ${high})`;
}

function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

interface Display {
  update(progress: TuneProgress): void;
  stop(): void;
}

/** A live bar on a terminal; elsewhere a line for each run. */
function createDisplay(stream: NodeJS.WriteStream): Display {
  if (!stream.isTTY) {
    return {
      update: ({ doneRuns, totalRuns, settings }) => {
        if (doneRuns < totalRuns)
          stream.write(`${doneRuns + 1}/${totalRuns}  ${inWords(settings)}\n`);
      },
      stop: () => undefined,
    };
  }
  const bar = startBar(stream, "{bar} {value}/{total}  {what}", 1);
  bar.update(0, { what: "loading the model" });
  return {
    update({ doneRuns, totalRuns, settings }) {
      bar.setTotal(totalRuns);
      bar.update(doneRuns, { what: inWords(settings) });
    },
    stop: () => bar.stop(),
  };
}
