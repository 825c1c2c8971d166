import { eachField, readString } from "./message-fields.js";

/** Tags of `GraphProto.output` and `GraphProto.value_info`, which hold the same kind of message. */
const outputTag = (12 << 3) | 2;
const valueInfoTag = (13 << 3) | 2;

/**
 * Makes outputs of a serialised model values of its inside, in place, by one byte
 * each. onnxruntime keeps all outputs of a graph until the run ends, also those that
 * nobody fetches; another value's memory goes to the next one when its last reader has run.
 *
 * @param model an ONNX model, as {@link readGraphSummary} has found it to be
 */
export function withdrawOutputs(model: Uint8Array, names: readonly string[]): void {
  const withdrawn = new Set(names);
  eachField(model, (field, reader, type) => {
    if (field !== 7) return void reader.skip(type, field);
    const graph = reader.bytes();
    eachField(graph, (graphField, graphReader, graphType) => {
      if (graphField !== 12) return void graphReader.skip(graphType, graphField);
      const tagAt = graphReader.pos - 1;
      if (!withdrawn.has(readString(graphReader.bytes(), 1) ?? "")) return;
      if (graph[tagAt] === outputTag) graph[tagAt] = valueInfoTag;
    });
  });
}
