import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { InferenceSession } from "onnxruntime-node";
import { weightsRoot } from "../onnx/external-tensors.js";
import type { ProfilingOptions } from "./operator-profile.js";

/** How onnxruntime is to run a graph. */
export interface SessionOptions {
  /** onnxruntime's name for where operators run; those it has not run on the CPU. */
  readonly executionProvider: string;
  /** Threads of one run, the calling one included. */
  readonly threads: number;
  /** Whether those threads burn their core between runs to start faster. */
  readonly spinning: boolean;
  readonly profiling: ProfilingOptions | undefined;
}

/**
 * @param graph the model's bytes, as `readLeanModel` gives them
 * @param file where they are from
 * @throws StreamgaugeError `MODEL_CORRUPT`; `MODEL_UNSUPPORTED` where the execution provider may be why
 */
export async function createSession(
  graph: Uint8Array,
  file: string,
  options: SessionOptions,
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(graph, {
      ...options.profiling,
      executionProviders: [options.executionProvider],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      // Warnings about graph optimisations are no use to callers, and errors are thrown.
      logSeverityLevel: 4,
      extra: {
        session: {
          intra_op: { allow_spinning: options.spinning ? "1" : "0" },
          // A graph handed over as bytes does not say where its external data lie.
          model_external_initializers_file_folder_path: await weightsRoot(file),
        },
      },
    });
  } catch (cause) {
    if (options.executionProvider !== "cpu") {
      throw new StreamgaugeError(
        "MODEL_UNSUPPORTED",
        `onnxruntime cannot load ${file} with the execution provider ` +
          `"${options.executionProvider}": ${messageOf(cause)} This machine may lack what it ` +
          `needs: try "cpu".`,
        { cause },
      );
    }
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `onnxruntime cannot load ${file}: ${messageOf(cause)} Build or copy the model again.`,
      { cause },
    );
  }
}
