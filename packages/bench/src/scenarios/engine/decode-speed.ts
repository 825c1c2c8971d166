import { timePerToken } from "../../conclude/engine-analysis.js";
import type { MeasurementPlan } from "../../plan/stage.js";
import { openDecoders, type DecodersOptions } from "./decoders.js";
import { engineMeasurement, type EngineMeasurementOptions } from "./engine-measurement.js";
import { graphFile } from "./engine-model.js";
import { peerName } from "./peer-engine.js";
import { speedupClaims, type LeastSpeedups } from "./rivals.js";
import { threadsTerm } from "./terms.js";

/** How much of a measurement to do. */
export type RaceSize = Pick<
  EngineMeasurementOptions,
  "blocks" | "warmUpBlocks" | "timeBudgetSeconds" | "expectedSeconds"
>;

export interface DecodeSpeedOptions extends RaceSize, Omit<DecodersOptions, "twice"> {
  /** What is promised; nothing where only the numbers are wanted. */
  readonly leastSpeedups?: LeastSpeedups;
}

/** Time per token from the first to the last, at a context, against other engines. */
export function decodeSpeed(options: DecodeSpeedOptions): MeasurementPlan {
  const { dtype, contextTokens, tokens, threads, rivals, findModel, leastSpeedups = {} } = options;
  const { blocks, warmUpBlocks, timeBudgetSeconds, expectedSeconds } = options;
  const settings = threads === undefined ? "-defaults" : "";
  return engineMeasurement({
    blocks,
    warmUpBlocks,
    timeBudgetSeconds,
    expectedSeconds,
    id: `decode-${dtype}-${contextTokens}${settings}`,
    title:
      `Decoding, ${dtype}, ${contextTokens} tokens of context` +
      (threads === undefined ? ", default settings" : ""),
    unit: timePerToken,
    baselines: rivals,
    claims: speedupClaims(leastSpeedups),
    async open(context, keep) {
      const twice = Object.keys(leastSpeedups);
      const decoders = await openDecoders(
        { dtype, contextTokens, tokens, threads, rivals, twice, findModel },
        context,
        keep,
      );
      const { spinning } = decoders;
      return {
        ...decoders,
        terms: [
          `The same file ${graphFile(dtype)} of a model with random weights, the same ${contextTokens} ids as the prompt, and ${tokens} tokens, greedy, past the end of the text; the ids are equal where the file is.`,
          `From the first token to the last, so that the prompt is left out; its keys and values are kept from block to block (streamgauge: prefixReuse; transformers.js: past_key_values; llama.cpp: its sequence).`,
          threads === undefined
            ? `Each with its own defaults: streamgauge ${decoders.threads} thread(s), ${spinning ? "spinning" : "not spinning"}; ${peerName} all cores, spinning.`
            : threadsTerm(threads, spinning),
          ...decoders.terms,
        ],
      };
    },
  });
}
