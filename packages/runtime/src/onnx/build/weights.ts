import { spreadSeed, StreamgaugeError } from "@streamgauge/core";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

import type { Checkpoint, CheckpointTensor } from "./checkpoint.js";
import type { TensorGroup } from "./graph-builder.js";
import type { DecoderShape } from "./decoder-shape.js";
import { rowsPerPiece } from "./safetensors.js";
import type { WeightSource } from "./weight-source.js";

/**
 * Weights of a checkpoint that {@link checkTensors} has found to be the right ones.
 *
 * @returns a source which throws `MODEL_CORRUPT` when a tensor holds NaN or infinity
 */
export function checkpointWeights(checkpoint: Checkpoint): WeightSource {
  return async function* pieces(name) {
    const tensor = checkpoint.tensors.get(name) as CheckpointTensor;
    for await (const piece of tensor.pieces()) {
      const strange = piece.find((value) => !Number.isFinite(value));
      if (strange !== undefined) {
        throw new StreamgaugeError(
          "MODEL_CORRUPT",
          `${tensor.path}: tensor ${name} holds ${strange}. Download the checkpoint again.`,
        );
      }
      yield piece;
    }
  };
}

/**
 * Holds a checkpoint against what a graph takes from it.
 *
 * @throws StreamgaugeError `MODEL_CORRUPT` when a tensor is missing or has another
 *   shape than the configuration says; `MODEL_UNSUPPORTED` when there is one that
 *   no graph of this architecture takes, because then the model computes something else
 */
export function checkTensors(
  checkpoint: Checkpoint,
  groups: readonly TensorGroup[],
  { tiedEmbeddings }: Pick<DecoderShape, "tiedEmbeddings">,
): void {
  const wanted = new Set<string>();
  for (const { name, shape } of groups.flatMap((group) => group.weights)) {
    wanted.add(name);
    const found = checkpoint.tensors.get(name);
    if (found?.shape.join() === shape.join()) continue;
    throw new StreamgaugeError(
      "MODEL_CORRUPT",
      `${found?.path ?? checkpoint.path}: tensor ${name} is ` +
        `${found === undefined ? "missing" : `[${found.shape.join(", ")}]`}, but config.json ` +
        `implies [${shape.join(", ")}]. Take both files from the same checkpoint.`,
    );
  }
  for (const [name, { path }] of checkpoint.tensors) {
    // Frequencies follow from the configuration, and a tied head is the embedding.
    if (wanted.has(name) || name.endsWith(".rotary_emb.inv_freq")) continue;
    if (tiedEmbeddings && name === "lm_head.weight") continue;
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `${path}: tensor ${name} is no part of the model that config.json describes, so the graph ` +
        `would leave it out. Take both files from the same checkpoint, or use an ONNX export.`,
    );
  }
}

/**
 * Weights for measurements of speed: ones for the norms, uniform numbers of
 * standard deviation 0.02 for the rest, which keep activations finite at any
 * depth. The same seed gives the same numbers if the tensors are asked for in
 * the same order. About 11 ms per million weights.
 */
export function randomWeights(seed: number): WeightSource {
  const generator = xoroshiro128plusFromState(spreadSeed(seed));
  const scale = (0.02 * Math.sqrt(3)) / 2 ** 31;
  return async function* pieces(name, [rows = 0, ...columns]) {
    const width = columns.reduce((product, size) => product * size, 1);
    const most = rowsPerPiece(width);
    for (let row = 0; row < rows; row += most) {
      const values = new Float32Array(Math.min(most, rows - row) * width);
      if (name.endsWith("norm.weight")) values.fill(1);
      else for (let i = 0; i < values.length; i++) values[i] = generator.next() * scale;
      yield values;
    }
  };
}
