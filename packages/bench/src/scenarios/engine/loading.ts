import { concludeEngine } from "../../conclude/engine-analysis.js";
import type { EngineMeasurement } from "../../record/index.js";
import type { MeasurementPlan } from "../../plan/stage.js";
import { engineScenarioName } from "./engine-measurement.js";
import { graphFile, type EngineDtype, type FindEngineModel } from "./engine-model.js";
import { runMemoryProcess } from "./memory-process.js";

export interface LoadingOptions {
  readonly dtype: EngineDtype;
  readonly threads: number;
  readonly expectedSeconds: number;
  readonly findModel: FindEngineModel;
}

/**
 * How long loading takes, stage by stage, and what each worker keeps in memory,
 * once with one worker and once with two, each in a fresh process.
 */
export function loading(options: LoadingOptions): MeasurementPlan {
  const { dtype, threads, expectedSeconds, findModel } = options;
  return {
    id: `loading-${dtype}`,
    expectedSeconds,
    async measure(_generator, context) {
      const { folder } = await findModel(context);
      const load = (workers: number) =>
        runMemoryProcess(
          { kind: "load", folder, dtype, threads, workers },
          {
            signal: context.signal,
            report: (step) => context.report?.(`${workers} worker(s): ${step}`),
          },
        );
      const one = await load(1);
      const two = await load(2);
      const terms = [
        `${graphFile(dtype)} in a fresh process; ${threads} thread(s) per worker; once each.`,
      ];
      const inOneBlock = (
        about: Pick<EngineMeasurement, "id" | "title" | "unit">,
        values: readonly (readonly [name: string, value: number])[],
        more: readonly string[],
      ): EngineMeasurement =>
        concludeEngine({
          ...about,
          scenario: engineScenarioName,
          terms: [...terms, ...more],
          warmUpBlocks: 0,
          blocks: [{ runs: values.map(([contender, value]) => ({ contender, value })) }],
          contenders: values.map(([contender]) => ({
            contender,
            interTokenLatency: null,
            comparisons: [],
          })),
          claims: [],
        });
      const mebibytes = (bytes: number): number => bytes / 2 ** 20;
      return {
        engine: [
          inOneBlock(
            { id: `loading-${dtype}`, title: `Loading, ${dtype}`, unit: "ms" },
            [
              ...one.stages.map(({ stage, milliseconds }) => [stage, milliseconds] as const),
              ["one worker, in all", one.loadMilliseconds],
              ["two workers, in all", two.loadMilliseconds],
            ],
            ["From the call to `createRuntime()` until it is ready."],
          ),
          inOneBlock(
            { id: `resident-${dtype}`, title: `Resident memory of workers, ${dtype}`, unit: "MiB" },
            [
              ["one worker", mebibytes(one.addedResidentBytes)],
              ["two workers", mebibytes(two.addedResidentBytes)],
              [
                "the second worker alone",
                mebibytes(two.addedResidentBytes - one.addedResidentBytes),
              ],
            ],
            [
              "What the process's resident set has grown by when the runtime is ready. Each worker " +
                "holds the weights itself: the second one's part is what they cost.",
            ],
          ),
        ],
      };
    },
  };
}
