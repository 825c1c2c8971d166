import { availableParallelism } from "node:os";
import { timePerToken } from "../../conclude/engine-analysis.js";
import type { MeasurementPlan } from "../../plan/stage.js";
import { startBusyCore } from "./busy-core.js";
import type { RaceSize } from "./decode-speed.js";
import { openDecoders, type DecodersOptions } from "./decoders.js";
import { engineMeasurement } from "./engine-measurement.js";
import { graphFile } from "./engine-model.js";
import { llamaName } from "./llama-engine.js";
import { ownName } from "./own-engine.js";
import { peerName } from "./peer-engine.js";
import { threadsTerm } from "./terms.js";

export interface OneCoreBusyOptions extends RaceSize, Omit<DecodersOptions, "twice" | "rivals"> {
  readonly threads: number;
}

/** What each engine's tokens take beside a process that keeps one core busy. */
export function oneCoreBusy(options: OneCoreBusyOptions): MeasurementPlan {
  const { dtype, contextTokens, tokens, threads, findModel, ...size } = options;
  const rivals = [peerName, llamaName] as const;
  return engineMeasurement({
    ...size,
    id: `busy-core-${dtype}-${contextTokens}`,
    title: `Decoding beside a busy core, ${dtype}, ${contextTokens} tokens of context`,
    unit: timePerToken,
    baselines: [ownName, ...rivals],
    async open(context, keep) {
      const decoders = await openDecoders(
        { dtype, contextTokens, tokens, threads, rivals, twice: [], findModel },
        context,
        keep,
      );
      const busyCore = keep(startBusyCore());
      return {
        contenders: decoders.contenders.flatMap((alone) => [
          alone,
          {
            name: `${alone.name}, a core busy`,
            run: () => busyCore.during(() => alone.run()),
          },
        ]),
        leftOut: decoders.leftOut,
        terms: [
          `Each engine by itself, and beside a process that keeps one of ${availableParallelism()} core(s) busy while the engine runs.`,
          `${graphFile(dtype)} of a model with random weights, ${contextTokens} ids as the prompt, ${tokens} tokens, greedy; from the first token to the last.`,
          threadsTerm(threads, decoders.spinning),
          ...decoders.terms,
        ],
      };
    },
  });
}
