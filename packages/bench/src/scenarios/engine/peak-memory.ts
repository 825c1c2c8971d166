import type { MeasurementPlan } from "../../plan/stage.js";
import type { RaceSize } from "./decode-speed.js";
import { engineMeasurement } from "./engine-measurement.js";
import { drawPrompt, graphFile, type EngineDtype, type FindEngineModel } from "./engine-model.js";
import { runMemoryProcess } from "./memory-process.js";
import { ownName } from "./own-engine.js";
import { peerName } from "./peer-engine.js";
import { versionsTerm } from "./terms.js";

export interface PeakMemoryOptions extends RaceSize {
  readonly dtype: EngineDtype;
  readonly contextTokens: number;
  readonly tokens: number;
  readonly threads: number;
  readonly findModel: FindEngineModel;
}

/** The largest resident set of a process that runs one long prompt, against transformers.js. */
export function peakMemory(options: PeakMemoryOptions): MeasurementPlan {
  const { dtype, contextTokens, tokens, threads, findModel, ...size } = options;
  return engineMeasurement({
    ...size,
    id: `peak-memory-${dtype}-${contextTokens}`,
    title: `Peak memory, ${dtype}, ${contextTokens} tokens of context`,
    unit: "MiB",
    baselines: [peerName],
    claims: [
      {
        contender: ownName,
        against: peerName,
        control: null,
        promise: "at most half the memory",
        limit: 0.5,
      },
    ],
    async open(context) {
      const { folder, vocabularySize } = await findModel(context);
      const prompt = drawPrompt(context.seed, contextTokens, vocabularySize);
      const run = (engine: typeof ownName | typeof peerName) => async () => {
        context.report?.(engine);
        const { peakResidentBytes, ids } = await runMemoryProcess(
          { kind: "peak", engine, folder, dtype, threads, spinning: false, prompt, tokens },
          { signal: context.signal, report: context.report },
        );
        return { value: peakResidentBytes / 2 ** 20, ids };
      };
      return {
        contenders: ([ownName, peerName] as const).map((name) => ({ name, run: run(name) })),
        terms: [
          `The same file ${graphFile(dtype)} and the same prompt of ${contextTokens} ids, then ${tokens} tokens; each run in a fresh process of its own, Node and the weights included; the ids are equal.`,
          `${threads} thread(s); the largest resident set by the system's own account.`,
          await versionsTerm(),
        ],
        close: () => Promise.resolve(),
      };
    },
  });
}
