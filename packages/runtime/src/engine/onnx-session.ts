import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { InferenceSession } from "onnxruntime-node";
import { weightsRoot } from "../onnx/external-tensors.js";
import { threadOptions, type ThreadSettings } from "../threads/thread-settings.js";
import type { ProfilingOptions } from "./operator-profile.js";

/** How onnxruntime is to run a graph. */
export interface SessionOptions extends ThreadSettings {
  /** onnxruntime's name for where operators run; those it has not run on the CPU. */
  readonly executionProvider: string;
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
  const { pool, intraOp } = threadOptions(options);
  try {
    return await InferenceSession.create(graph, {
      ...options.profiling,
      executionProviders: [options.executionProvider],
      ...pool,
      // Warnings about graph optimisations are no use to callers, and errors are thrown.
      logSeverityLevel: 4,
      extra: {
        session: {
          intra_op: intraOp,
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
