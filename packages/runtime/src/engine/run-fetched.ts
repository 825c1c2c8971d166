import { Tensor, type InferenceSession } from "onnxruntime-node";
import type { GraphPorts } from "./graph-ports.js";
import { createFetchedCache } from "./key-value-cache.js";
import type { WayToRun } from "./way-to-run.js";

/** Runs any graph, one sequence at a time: its cache is fetched, and fed to the next run. */
export function runFetched(session: InferenceSession, ports: GraphPorts): WayToRun {
  const { logits: logitsOutput, logitsCount, entries, states } = ports;
  const cache = createFetchedCache(entries, states);
  return {
    cache,
    constants: logitsConstants(logitsCount),
    logitsOutput,
    joinsPrompts: false,
    async execute(feeds, _first, [ids = 0]) {
      const outputs = [logitsOutput, ...cache.outputs];
      const results = await session.run({ ...feeds, ...cache.feeds }, outputs);
      cache.take(results, ids);
      return { logits: results[logitsOutput] as Tensor, largest: undefined };
    },
  };
}

/** A graph that computes as many positions' logits as it is told needs only the last. */
export function logitsConstants(logitsCount: string | undefined): Record<string, Tensor> {
  if (logitsCount === undefined) return {};
  return { [logitsCount]: new Tensor("int64", BigInt64Array.of(1n), []) };
}
