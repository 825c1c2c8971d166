/**
 * Values of options as the commands of this package take them. Each throws
 * commander's `InvalidArgumentError`, which names the option before the reason.
 *
 * @module
 */
import { InvalidArgumentError } from "commander";

/** An option's value as an integer ≥ 0. */
export function parseInteger(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be an integer ≥ 0.");
  return Number(text);
}

/** An option's value as an integer ≥ 1; 1e8 is one too. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError("It must be an integer ≥ 1.");
}

/** An option's value as a number of minutes > 0. */
export function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!(minutes > 0 && minutes < Infinity)) {
    throw new InvalidArgumentError("It must be a number of minutes > 0.");
  }
  return minutes;
}

/** A percentage above 0 as a fraction: "5" as 0.05. */
export function parsePercent(text: string): number {
  const percent = Number(text);
  if (!(percent > 0 && percent <= 100)) {
    throw new InvalidArgumentError("It must be a percentage above 0 and up to 100.");
  }
  return percent / 100;
}
