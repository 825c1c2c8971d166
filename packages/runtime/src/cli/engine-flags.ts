import { InvalidArgumentError, Option, type Command } from "commander";
import type { EngineOptions } from "../host/options.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";

/** What {@link addEngineFlags} adds, as commander hands it to the action. */
export interface EngineFlags {
  readonly model?: string;
  readonly dtype?: ModelDtype;
  readonly executionProvider?: string;
  readonly maxBatch?: number;
  readonly threads?: number;
}

/** The flags of every command that opens a model: which one, and how it runs. */
export function addEngineFlags(command: Command): Command {
  return command
    .option(
      "--model <folder>",
      "model folder, in the layout of Hugging Face or onnxruntime-genai (default: the embedded one)",
    )
    .addOption(
      new Option(
        "--dtype <name>",
        "which of the folder's graphs (default: what config.json says)",
      ).choices(modelDtypes),
    )
    .option(
      "--execution-provider <name>",
      "where operators run: cpu, or another that onnxruntime-node has here (default: cpu)",
    )
    .option(
      "--max-batch <n>",
      "most generations that a worker runs together (default: 8 where the graph allows it)",
      count,
    )
    .option("--threads <n>", "threads that work on one step", count);
}

/** The same as options of the engine, without what was not given. */
export function engineOptionsOf(flags: EngineFlags): EngineOptions {
  const { model, dtype, executionProvider, maxBatch, threads } = flags;
  return {
    ...(model !== undefined && { model }),
    ...(dtype !== undefined && { dtype }),
    ...(executionProvider !== undefined && { executionProvider }),
    ...(maxBatch !== undefined && { maxBatch }),
    ...(threads !== undefined && { threads }),
  };
}

export function count(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError("It must be an integer ≥ 1.");
}
