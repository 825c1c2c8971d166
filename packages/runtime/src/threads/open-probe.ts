import { InferenceSession, type Tensor } from "onnxruntime-node";
import { createFloats, floatTensor } from "../engine/float-tensor.js";
import { weightsRoot } from "../onnx/external-tensors.js";
import type { GraphSummary } from "../onnx/graph-summary.js";
import { sampleProducts } from "../onnx/product-sample.js";
import type { StepWeights } from "../onnx/step-weights.js";
import { threadOptions, type ThreadSettings } from "./thread-settings.js";
import type { Timed } from "./time-settings.js";

/** What is read of a model beside its weights. */
export interface LeanGraph {
  /** As `readLeanModel` gives it. */
  readonly graph: Uint8Array;
  /** The file that the weights are in, or beside. */
  readonly file: string;
  readonly summary: GraphSummary;
}

/** How much of a model is run, unless that is too little or too much. */
const shareOfModel = 1 / 16;
/** With less, beginning a run would count more than the run. */
const leastBytes = 4e6;
/** With more, making a session would take too long: some milliseconds for 4 MB. */
const mostBytes = 16e6;

/**
 * Opens sessions that multiply rows with some of a model's own matrices. Each run blocks the calling
 * thread.
 *
 * @returns what opens one with given settings, and throws what onnxruntime does; undefined where too
 *   few of the model's matrices can be multiplied with by themselves
 */
export async function probeOf(
  { graph, file, summary }: LeanGraph,
  { bytes }: StepWeights,
): Promise<((settings: ThreadSettings) => Promise<Timed>) | undefined> {
  const wantedBytes = Math.min(mostBytes, Math.max(leastBytes, bytes * shareOfModel));
  const sample = sampleProducts(graph, summary, wantedBytes);
  if (sample === undefined) return undefined;
  const feeds: Record<string, Tensor> = {};
  for (const { name, columns, type } of sample.inputs) {
    // Zeros take as long as other numbers.
    feeds[name] = floatTensor(type, createFloats(type, columns), [1, columns]);
  }
  const root = await weightsRoot(file);
  return async (settings) => {
    const { pool, intraOp } = threadOptions(settings);
    const session = await InferenceSession.create(sample.graph, {
      executionProviders: ["cpu"],
      ...pool,
      logSeverityLevel: 4,
      extra: {
        session: { intra_op: intraOp, model_external_initializers_file_folder_path: root },
      },
    });
    return {
      async run() {
        await session.run(feeds);
      },
      close: () => session.release(),
    };
  };
}
