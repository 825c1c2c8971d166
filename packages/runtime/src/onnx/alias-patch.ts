import { encodeModelHeader } from "./protobuf.js";

/**
 * A serialised `ModelProto` that gives values of a model second names when its
 * bytes are appended to the model's, as patches that come behind it expect them.
 * onnxruntime takes the nodes out again when it optimises the graph.
 */
export function aliasPatch(
  aliases: readonly { readonly value: string; readonly alias: string }[],
): Uint8Array {
  const nodes = aliases.map(({ value, alias }) => ({
    name: `streamgauge.alias.${alias}`,
    operator: "Identity",
    inputs: [value],
    outputs: [alias],
  }));
  return encodeModelHeader({ nodes, inputs: [], outputs: [] }, 0);
}
