import { InvalidArgumentError, Option, type Command } from "commander";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";

/** What {@link addEngineFlags} adds, as commander hands it to the action. */
export interface EngineFlags {
  readonly model?: string;
  readonly dtype?: ModelDtype;
  readonly executionProvider?: string;
  readonly maxBatch?: number;
  readonly threads?: number;
  readonly spinMicroseconds?: number;
}

/** What a model folder is, for flags and arguments that name one. */
export const modelFolderDescription: string =
  "model folder, in the layout of Hugging Face or onnxruntime-genai, or hub:owner/name for a pulled " +
  "one (default: the embedded one)";

const table: { readonly [Name in keyof EngineFlags]-?: () => Option } = {
  model: () => new Option("--model <folder>", modelFolderDescription),
  dtype: () =>
    new Option(
      "--dtype <name>",
      "which of the folder's graphs (default: what config.json says)",
    ).choices(modelDtypes),
  executionProvider: () =>
    new Option(
      "--execution-provider <name>",
      "where operators run: cpu, or another that onnxruntime-node has here (default: cpu)",
    ),
  maxBatch: () =>
    new Option(
      "--max-batch <n>",
      "most generations that a worker runs together (default: 8 where the graph allows it)",
    ).argParser(parseCount),
  threads: () =>
    new Option(
      "--threads <n>",
      "threads that work on one step (default: what is fastest here, see `tune`)",
    ).argParser(parseCount),
  spinMicroseconds: () =>
    new Option(
      "--spin-microseconds <n>",
      "how long idle ones of them look for work before they sleep (default: as --threads)",
    ).argParser((text: string) => integerFrom(0, text)),
};

const allFlags = Object.keys(table) as (keyof EngineFlags)[];

/**
 * The flags of a command that opens a model: which one, and how it runs.
 *
 * @param names which of them, in the order of the help. Default: all
 */
export function addEngineFlags(
  command: Command,
  names: readonly (keyof EngineFlags)[] = allFlags,
): Command {
  for (const name of names) command.addOption(table[name]());
  return command;
}

/** The flags that were given, which are options of the engine too, without a command's others. */
export function engineOptionsOf(flags: EngineFlags): EngineFlags {
  const given = allFlags.filter((name) => flags[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, flags[name]]));
}

/** For commander: an integer ≥ 1. */
export function parseCount(text: string): number {
  return integerFrom(1, text);
}

function integerFrom(least: number, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError(`It must be an integer ≥ ${least}.`);
}
