import type { Tensor } from "onnxruntime-node";
import { widenFloats } from "../../src/engine/float-tensor.js";
import type { Judge } from "./course.js";
import { emptyPasts, idFeeds, openZooSession } from "./full-context.js";

/** How ids are judged by {@link openForcedContext}. */
export interface ForcedContextOptions {
  /** Most ids that the graph computes as a short context. */
  readonly border: number | undefined;
  /**
   * How far below the best logit a chosen one may be, in parts of their root mean square. Quantised
   * matrices round the row of a step and the rows of a prompt differently.
   */
  readonly tolerance: number;
}

/**
 * Judges ids by runs of all of them on an empty cache: each must have the best logit behind those in
 * front of it. Where all have, they are those of greedy decoding; and it takes one run, or two, not
 * one for each id. For graphs whose logits are of all positions.
 */
export async function openForcedContext(
  folder: string,
  { border = Infinity, tolerance }: ForcedContextOptions,
): Promise<Judge> {
  const session = await openZooSession(folder);
  const pasts = emptyPasts(session);
  /** Logits behind each id, row after row. */
  const run = async (ids: readonly number[]): Promise<readonly Float32Array[]> => {
    const results = await session.run({ ...pasts, ...idFeeds(session, ids, 0) }, ["logits"]);
    const logits = results["logits"] as Tensor;
    const width = logits.dims.at(-1) ?? 0;
    const all = widenFloats(logits, 0);
    return ids.map((_, at) => Float32Array.from(all.slice(at * width, (at + 1) * width)));
  };
  return {
    async firstDifference(ids, prompt, count) {
      if (ids.length !== count) return `${ids.length} tokens for ${count}`;
      const sequence = [...prompt, ...ids.slice(0, -1)];
      const rows = [...(await run(sequence))];
      if (sequence.length > border) {
        rows.splice(0, border, ...(await run(sequence.slice(0, border))));
      }
      for (const [at, id] of ids.entries()) {
        const row = rows[prompt.length - 1 + at] as Float32Array;
        const size = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / row.length);
        const gap = (Math.max(...row) - (row[id] ?? -Infinity)) / size;
        if (gap > tolerance) return `wrong at token ${at}, by ${gap.toPrecision(2)}`;
      }
      return "right";
    },
    release: () => session.release(),
  };
}
