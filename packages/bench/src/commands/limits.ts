import { InvalidArgumentError } from "commander";
import type { Claim } from "../conclude/claims.js";

/** What can be limited: the ways to stream. */
const treatments = ["stream", "streamAsync"] as const;

/**
 * One `--limit` more, as a claim on every cell that is measured: `stream=5%` limits the
 * overhead, `streamAsync=40us` the absolute cost per token.
 *
 * @throws commander's InvalidArgumentError for what is no limit, and for a second one of its kind
 */
export function appendLimit(text: string, previous: readonly Claim[] | undefined): Claim[] {
  const claim = parseLimit(text);
  const others = previous ?? [];
  const { treatment, metric } = claim;
  if (others.some((other) => other.treatment === treatment && other.metric === metric)) {
    throw new InvalidArgumentError(`"${treatment}" has two limits of one unit: give one.`);
  }
  return [...others, claim];
}

function parseLimit(text: string): Claim {
  const [, name, number, unit] = /^(\w+)=(\d+(?:\.\d+)?)(%|us|µs)$/.exec(text) ?? [];
  const treatment = treatments.find((each) => each === name);
  const value = Number(number);
  if (treatment === undefined || !(value > 0)) {
    throw new InvalidArgumentError(
      'It must be "stream" or "streamAsync" and a number above 0, as "stream=5%" or "streamAsync=40us".',
    );
  }
  return unit === "%"
    ? {
        id: `${name}-under-${number}-percent`,
        metric: "overhead",
        treatment,
        limit: value / 100,
        of: {},
      }
    : {
        id: `${name}-under-${number}-microseconds`,
        metric: "absoluteCost",
        treatment,
        limit: value,
        of: {},
      };
}
