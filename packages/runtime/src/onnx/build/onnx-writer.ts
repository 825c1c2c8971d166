import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { StreamgaugeError } from "@streamgauge/core";

import type { ResolvedBuildTarget } from "./build-options.js";
import { buildDecoderGraph } from "./decoder-graph.js";
import type { DecoderShape } from "./decoder-shape.js";
import { describeDtypes } from "./dtype-config.js";
import type { BuiltGraph } from "./graph-builder.js";
import { graphFileName, numberFormat, type BuildDtype } from "../model-dtype.js";
import { ElementType } from "../protobuf.js";
import { layOutModel } from "./model-layout.js";
import { writePlans, type ModelWriter } from "./model-writer.js";

/** Taken along unchanged from a checkpoint where present. */
const companions = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  "chat_template.json",
  "README.md",
  "LICENSE",
];

/**
 * Writes `config.json`, and a graph for each dtype in the folder `onnx`.
 *
 * @param config the text of the shape's `config.json`
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` for a dtype that the family does not compute in
 */
export function createOnnxWriter(
  config: string,
  shape: DecoderShape,
  target: ResolvedBuildTarget,
): ModelWriter {
  const graphs = buildGraphs(shape, target.dtypes);
  return {
    tensorGroups: graphs.map(({ graph }) => graph.tensorGroups),
    companions,
    entries: [...companions, "config.json", "onnx"],
    async write(folder, openWeights) {
      const plans = graphs.map(({ dtype, graph }) => {
        const file = graphFileName(dtype);
        const layout = layOutModel(join(folder, "onnx", file), graph, target.externalData);
        return { dtype, file, tensorGroups: graph.tensorGroups, layout };
      });
      const built = plans.map(({ dtype, layout }) => ({ dtype, files: layout.files.length }));
      await writeFile(join(folder, "config.json"), describeDtypes(config, built));
      await mkdir(join(folder, "onnx"));
      await writePlans(plans, openWeights, target);
    },
  };
}

interface DtypeGraph {
  readonly dtype: BuildDtype;
  readonly graph: BuiltGraph;
}

function buildGraphs(shape: DecoderShape, dtypes: readonly BuildDtype[]): DtypeGraph[] {
  return dtypes.map((dtype) => {
    const format = numberFormat(dtype);
    if (shape.needsFloat32 !== undefined && format.float === ElementType.float16) {
      throw new StreamgaugeError(
        "MODEL_UNSUPPORTED",
        `${dtype} computes in half precision. ${shape.needsFloat32}: choose fp32, q8 or q4.`,
      );
    }
    return { dtype, graph: buildDecoderGraph(shape, format) };
  });
}
