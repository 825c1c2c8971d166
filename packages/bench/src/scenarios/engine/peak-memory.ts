import type { MeasurementPlan } from "../../plan/stage.js";
import type { RaceSize } from "./decode-speed.js";
import { engineMeasurement } from "./engine-measurement.js";
import { drawPrompt, graphFile, type EngineDtype, type FindEngineModel } from "./engine-model.js";
import { runMemoryProcess } from "./memory-process.js";
import type { PeakTask } from "./memory-protocol.js";
import { ownName } from "./own-engine.js";
import { findLlama, llamaName } from "./llama-engine.js";
import { peerName } from "./peer-engine.js";
import { ggufTerm, runtimeVersions } from "./terms.js";

export interface PeakMemoryOptions extends RaceSize {
  readonly dtype: EngineDtype;
  readonly contextTokens: number;
  readonly tokens: number;
  readonly threads: number;
  readonly findModel: FindEngineModel;
}

/** The largest resident set of a process that runs one long prompt, against other engines; the claim is on transformers.js. */
export function peakMemory(options: PeakMemoryOptions): MeasurementPlan {
  const { dtype, contextTokens, tokens, threads, findModel, ...size } = options;
  return engineMeasurement({
    ...size,
    id: `peak-memory-${dtype}-${contextTokens}`,
    title: `Peak memory, ${dtype}, ${contextTokens} tokens of context`,
    unit: "MiB",
    baselines: [peerName, llamaName],
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
      const { folder, vocabularySize, ggufFile } = await findModel(context);
      const prompt = drawPrompt(context.seed, contextTokens, vocabularySize);
      const there = await findLlama();
      const isThere = "versions" in there;
      const paths = {
        [ownName]: folder,
        [peerName]: folder,
        ...(isThere && { [llamaName]: await ggufFile(dtype) }),
      };
      const run = (engine: PeakTask["engine"], path: string) => async () => {
        context.report?.(engine);
        const { peakResidentBytes, ids } = await runMemoryProcess(
          { kind: "peak", engine, path, dtype, threads, spinning: false, prompt, tokens },
          { signal: context.signal, report: context.report },
        );
        const value = peakResidentBytes / 2 ** 20;
        return engine === llamaName ? { value } : { value, ids };
      };
      return {
        contenders: Object.entries(paths).map(([name, path]) => ({
          name,
          run: run(name as PeakTask["engine"], path),
        })),
        leftOut: isThere ? [] : [llamaName],
        terms: [
          `The same file ${graphFile(dtype)} and the same prompt of ${contextTokens} ids, then ${tokens} tokens; each run in a fresh process of its own, Node and the weights included; the ids are equal where the file is.`,
          `${threads} thread(s); the largest resident set by the system's own account.`,
          await runtimeVersions(true),
          ...(isThere
            ? [
                ggufTerm(dtype),
                "Its file is mapped: pages of it that were read count.",
                there.versions,
              ]
            : [there.whyNot]),
        ],
      };
    },
  });
}
