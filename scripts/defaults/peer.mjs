// transformers.js on the same models, with its own defaults and as the runtime is set by hand.
import { openPeer } from "../../packages/bench/dist/scenarios/engine/peer-engine.js";
import { contextsOf, runAtBothLoads } from "./cells.mjs";

/** The threads of a comparison at equal settings: all cores, and none spins. */
export function equalSettings(cores) {
  return { threads: cores, spinMicroseconds: 0 };
}

/**
 * One stream at both contexts.
 *
 * @param threads that do not spin; undefined: its own default
 */
export async function runPeer(model, threads, busyCore) {
  const settings = threads === undefined ? undefined : { threads, spinning: false };
  const peer = await openPeer(model.folder, model.dtype, settings);
  try {
    const tokens = model.tokens[2];
    const cells = [];
    for (const { context, promptTokens, promptOf } of contextsOf(model)) {
      const prompt = promptOf(0);
      const run = async () => {
        const { atNanoseconds } = await peer.continueFrom(prompt, tokens);
        return ((tokens - 1) / (atNanoseconds.at(-1) - atNanoseconds[0])) * 1e9;
      };
      const speeds = await runAtBothLoads(run, busyCore);
      cells.push({ context, streams: 1, promptTokens, tokens, ...speeds });
    }
    return { chosen: threads === undefined ? "default" : "equal", cells };
  } finally {
    await peer.close();
  }
}
