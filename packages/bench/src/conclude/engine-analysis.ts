import { judgeRange, judgeRatio } from "./ratio-claims.js";
import {
  engineComparison,
  type EngineBlock,
  type EngineClaim,
  type EngineComparison,
  type EngineContender,
  type EngineMeasurement,
} from "../record/index.js";
import { median } from "../statistics/index.js";
import { estimateRatio, runsOf } from "./paired-blocks.js";

/** A measurement before anything is concluded from its blocks. */
export type EngineSamples = Omit<EngineMeasurement, "contenders" | "claims"> & {
  readonly contenders: readonly (Pick<EngineContender, "contender" | "interTokenLatency"> & {
    /** What it is compared with. */
    readonly comparisons: readonly Pick<EngineComparison, "against">[];
  })[];
  readonly claims: readonly Omit<EngineClaim, "verdict" | "reasons">[];
};

/** The unit whose inverse is a rate of tokens. */
export const timePerToken = "ms per token";

/**
 * Concludes everything that follows from the blocks of a measurement: medians,
 * ratios block by block, and the verdicts.
 */
export function concludeEngine(samples: EngineSamples): EngineMeasurement {
  const { blocks, unit } = samples;
  const contenders = samples.contenders.map((summary): EngineContender => {
    const value = median(valuesOf(blocks, summary.contender));
    return {
      ...summary,
      value,
      tokensPerSecond: unit === timePerToken ? 1000 / value : null,
      comparisons: summary.comparisons.map(({ against }) =>
        compare(blocks, summary.contender, against),
      ),
    };
  });
  const claims = samples.claims.map((claim): EngineClaim => {
    const { contender, against, control, limit } = claim;
    const compared = engineComparison({ contenders }, contender, against);
    if (compared === undefined) {
      throw new RangeError(`${contender} is not compared with ${against}.`);
    }
    return {
      ...claim,
      ...(control === null
        ? judgeRange(limit, compared)
        : judgeRatio(
            limit,
            compared.ratio,
            engineComparison({ contenders }, control, against)?.ratio ?? null,
          )),
    };
  });
  return { ...samples, contenders, claims };
}

function compare(
  blocks: readonly EngineBlock[],
  contender: string,
  against: string,
): EngineComparison {
  const own = valuesOf(blocks, contender);
  const others = valuesOf(blocks, against);
  return {
    against,
    ratio: estimateRatio(own, others),
    smallestRatio: Math.min(...own) / Math.max(...others),
    largestRatio: Math.max(...own) / Math.min(...others),
  };
}

function valuesOf(blocks: readonly EngineBlock[], name: string): number[] {
  return runsOf(blocks, name, ({ contender }) => contender).map(({ value }) => value);
}
