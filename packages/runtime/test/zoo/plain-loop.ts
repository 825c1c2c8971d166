import type { Tensor } from "onnxruntime-node";
import { argmaxOfLast, emptyPasts, idFeeds, openZooSession } from "./full-context.js";
import type { FullContext } from "./full-context.js";

/** Ids of a prompt that the engine runs at once, when nothing else does. */
const pieceLength = 256;

/** Decodes with a cache: the prompt in pieces, then id after id, every `present` fed back as it came. */
export async function openPlainLoop(folder: string): Promise<FullContext> {
  const session = await openZooSession(folder);
  // A branch for an empty cache takes the whole prompt.
  const hasBranches = session.inputNames.includes("use_cache_branch");
  const presents = session.outputNames.filter((name) => name.startsWith("present"));
  return {
    async greedy(prompt, count) {
      const ids: number[] = [];
      let cache = emptyPasts(session);
      let past = 0;
      const run = async (piece: readonly number[]): Promise<number> => {
        const feeds = { ...cache, ...idFeeds(session, piece, past) };
        const results = await session.run(feeds, ["logits", ...presents]);
        cache = Object.fromEntries(
          presents.map((name) => [
            name.replace("present.", "past_key_values.").replace("present_", "past_"),
            results[name] as Tensor,
          ]),
        );
        past += piece.length;
        return argmaxOfLast(results["logits"] as Tensor);
      };
      let next = 0;
      const most = hasBranches ? prompt.length : pieceLength;
      for (let from = 0; from < prompt.length; from += most) {
        next = await run(prompt.slice(from, from + most));
      }
      for (ids.push(next); ids.length < count; ids.push(next)) next = await run([next]);
      return ids;
    },
    release: () => session.release(),
  };
}
