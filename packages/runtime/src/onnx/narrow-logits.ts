import type { GraphSummary } from "./graph-summary.js";
import { eachField, readString } from "./message-fields.js";

/** A value that a model's logits are computed from, and the one they are now. */
export interface NarrowedLogits {
  /** Hidden states of all positions of a run, [batch, positions, hidden]. */
  readonly hidden: string;
  /** A value that nothing computes yet: of those the positions that have logits. */
  readonly kept: string;
}

/** Operators that compute each row from the same row of their first input. */
const rowByRow: ReadonlySet<string> = new Set(["MatMul", "FusedMatMul", "MatMulNBits"]);

/** Attributes of FusedMatMul under which it does not. */
const transposes: ReadonlySet<string> = new Set(["transA", "transBatchA"]);

/** What a last character is exchanged for. */
const marks = ["~", "^", "!", "|"];

const nodeField = 1;
const outputField = 12;
const valueInfoField = 13;
/** A tag of `GraphProto` that has no meaning, with the wire type of a message. */
const noTag = (9 << 3) | 2;

/**
 * Whether a model says that it has logits for each of the ids it is fed, and is not told for
 * how many.
 *
 * @param ports the graph's own names
 */
export function hasLogitsOfAll(
  { shapes }: Pick<GraphSummary, "shapes">,
  ports: {
    readonly ids: string;
    readonly logits: string;
    readonly logitsCount: string | undefined;
  },
): boolean {
  const length = shapes.get(ports.ids)?.[1];
  return (
    ports.logitsCount === undefined &&
    typeof length === "string" &&
    shapes.get(ports.logits)?.[1] === length
  );
}

/**
 * Lets a serialised model compute logits of some positions of a run instead of all: its
 * last matrix reads {@link NarrowedLogits.kept} instead of the hidden states, in place,
 * by one byte. With a vocabulary of 49,152 that matrix is a fifth of a model of 135M
 * parameters, and its result 50 MB for 256 positions. The model has no output `logits`
 * any more.
 *
 * @param model an ONNX model that {@link hasLogitsOfAll has logits of all} its ids
 * @param logits the model's own name
 * @returns undefined, with nothing changed, for logits that something else than one
 *   matrix makes of the hidden states
 */
export function narrowLogits(model: Uint8Array, logits: string): NarrowedLogits | undefined {
  const read = new Set<string>();
  const producers = new Map<string, Uint8Array>();
  eachGraphField(model, (field, bytes) => {
    if (field !== nodeField) return;
    for (const name of stringsOf(bytes, 1)) read.add(decode(name));
    for (const name of stringsOf(bytes, 2)) producers.set(decode(name), bytes);
  });

  // Half-precision logits are cast.
  const behind = [logits];
  let node = producers.get(logits);
  while (node !== undefined && readString(node, 4) === "Cast") {
    const input = decode(stringsOf(node, 1)[0] ?? new Uint8Array());
    if (behind.includes(input)) return;
    behind.push(input);
    node = producers.get(input);
  }
  if (node === undefined || !rowByRow.has(readString(node, 4) ?? "") || isTransposed(node)) return;
  const [input] = stringsOf(node, 1);
  if (input === undefined) return;
  const hidden = decode(input);
  const kept = marks
    .map((mark) => hidden.slice(0, -1) + mark)
    .find((name) => !read.has(name) && !producers.has(name));
  if (kept === undefined || Buffer.byteLength(kept) !== input.length) return;

  input.set(Buffer.from(kept));
  // What is said of their shapes is no longer so.
  eachGraphField(model, (field, bytes, graph, tagAt) => {
    if (field !== outputField && field !== valueInfoField) return;
    if (behind.includes(readString(bytes, 1) ?? "")) graph[tagAt] = noTag;
  });
  return { hidden, kept };
}

/** Calls back for each node, output and value that a model's graph speaks of. */
function eachGraphField(
  model: Uint8Array,
  visit: (field: number, bytes: Uint8Array, graph: Uint8Array, tagAt: number) => void,
): void {
  const wanted = new Set([nodeField, outputField, valueInfoField]);
  eachField(model, (modelField, reader, modelType) => {
    if (modelField !== 7) return void reader.skip(modelType, modelField);
    const graph = reader.bytes();
    eachField(graph, (field, graphReader, type) => {
      const tagAt = graphReader.pos - 1;
      if (wanted.has(field)) visit(field, graphReader.bytes(), graph, tagAt);
      else graphReader.skip(type, field);
    });
  });
}

/** A message's strings under one field number, as they lie in it. */
function stringsOf(message: Uint8Array, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  eachField(message, (field, reader, type) => {
    if (field === wanted) found.push(reader.bytes());
    else reader.skip(type, field);
  });
  return found;
}

function decode(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8");
}

function isTransposed(node: Uint8Array): boolean {
  return stringsOf(node, 5).some((attribute) => {
    let value = 0n;
    eachField(attribute, (field, reader, type) => {
      if (field === 3) value = BigInt(reader.int64());
      else reader.skip(type, field);
    });
    return value !== 0n && transposes.has(readString(attribute, 1) ?? "");
  });
}
