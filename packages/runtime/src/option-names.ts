import { StreamgaugeError } from "@streamgauge/core";

/**
 * Holds the names of options against those there are: a misspelt one would
 * otherwise be ignored.
 *
 * @throws StreamgaugeError `INVALID_OPTION`
 */
export function checkOptionNames(options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `Unknown option "${name}". Known options: ${known.join(", ")}.`,
    );
  }
}
