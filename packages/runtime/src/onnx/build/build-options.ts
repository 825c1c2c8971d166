import {
  booleanCheck,
  functionCheck,
  integerCheck,
  signalCheck,
  textCheck,
  type OptionTable,
  type ResolvedOptions,
} from "@streamgauge/core";
import { buildDtypes, type BuildDtype } from "../model-dtype.js";
import type { LlamaShape } from "./llama-shape.js";

/** How far a build has come, reported after each piece of a tensor. */
export interface BuildProgress {
  /** The file, for instance `model_q4.onnx`. */
  readonly file: string;
  /** The tensor just worked on. */
  readonly tensor: string;
  readonly writtenBytes: number;
  /** Size of all files with weights when the build is done. */
  readonly totalBytes: number;
}

/** What both builders are told. */
export interface BuildTarget {
  /**
   * The model folder to make. An earlier build in its place is replaced; a
   * folder that holds anything else is refused.
   */
  readonly out: string;
  /**
   * How to store the numbers, one graph for each; see {@link BuildDtype}. The
   * first is what opens when nobody says. Default: `["fp32"]`.
   */
  readonly dtypes?: readonly BuildDtype[];
  /**
   * `"onnx"`: a folder for this runtime and transformers.js. `"gguf"`: a file for llama.cpp for each
   * dtype of a Llama: `model-f32.gguf` (fp32), `model-q8_0.gguf` (q8), `model-q4_0.gguf` (q4), with
   * the tokenizer inside. Default: `"onnx"`.
   */
  readonly format?: "onnx" | "gguf";
  /**
   * Whether weights go into a file `onnx/model….onnx_data` beside their graph.
   * Default: where they exceed the 2 GiB of an ONNX file; `false` refuses those.
   */
  readonly externalData?: boolean;
  /** Called after each piece of a tensor; what it throws ends the build. */
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Ends the build at its next piece; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface BuildModelOptions extends BuildTarget {
  /**
   * A Hugging Face checkpoint folder: `config.json`, `model.safetensors` or
   * several with their index, tokenizer files.
   */
  readonly checkpoint: string;
  /**
   * Draws the weights from this 32-bit integer instead of reading them: the folder
   * needs a `config.json` only, and what is built is as large and as fast as the
   * trained model. Feed it token ids where the folder has no tokenizer.
   */
  readonly randomSeed?: number;
}

export interface BuildRandomModelOptions extends BuildTarget {
  readonly shape: LlamaShape;
  /** A 32-bit integer; the same shape, dtypes and seed give the same bytes. */
  readonly seed: number;
}

type WithoutDefault = "externalData" | "signal";

/** Any 32-bit integer. */
const seedCheck = integerCheck(-(2 ** 31), 2 ** 31 - 1);

export type ResolvedBuildTarget = ResolvedOptions<BuildTarget, WithoutDefault>;

const targetTable: OptionTable<BuildTarget, ResolvedBuildTarget> = {
  out: { check: textCheck },
  dtypes: {
    check: {
      accepts: (value): value is readonly BuildDtype[] =>
        Array.isArray(value) && value.length > 0 && value.every(isBuildDtype),
      expected: `a list of one or several of ${buildDtypes.join(", ")}`,
    },
    default: ["fp32"],
    resolve: (dtypes) => [...new Set(dtypes)],
  },
  format: {
    check: {
      accepts: (value): value is "onnx" | "gguf" => value === "onnx" || value === "gguf",
      expected: `"onnx" or "gguf"`,
    },
    default: "onnx",
  },
  externalData: { check: booleanCheck, default: undefined },
  onProgress: { check: functionCheck(), default: () => undefined },
  signal: { check: signalCheck, default: undefined },
};

/** The options of `buildModel()`. */
export const buildModelTable: OptionTable<
  BuildModelOptions,
  ResolvedOptions<BuildModelOptions, WithoutDefault | "randomSeed">
> = {
  ...targetTable,
  checkpoint: { check: textCheck },
  randomSeed: { check: seedCheck, default: undefined },
};

/** The options of `buildRandomModel()`. The shape is checked as that of a file is. */
export const buildRandomModelTable: OptionTable<
  BuildRandomModelOptions,
  ResolvedOptions<BuildRandomModelOptions, WithoutDefault>
> = {
  ...targetTable,
  shape: {
    check: {
      accepts: (value): value is LlamaShape => typeof value === "object" && value !== null,
      expected: "an object with the sizes of a Llama",
    },
  },
  seed: { check: seedCheck },
};

function isBuildDtype(value: unknown): value is BuildDtype {
  return (buildDtypes as readonly unknown[]).includes(value);
}
