/** A year; longer than any request, and short enough for sums of many to stay exact. */
const longestMilliseconds = 365 * 24 * 3600 * 1e3;

/** Tokens per second that no machine gives. */
const mostTokensPerSecond = 1e12;

/** Why a time cannot be one, or undefined: it is negative, infinite or longer than a year. */
export function impossibleTime(milliseconds: number): string | undefined {
  if (Number.isNaN(milliseconds)) return "it lies between infinite times";
  if (milliseconds < 0) return `${shown(milliseconds)} ms is negative`;
  if (milliseconds <= longestMilliseconds) return undefined;
  return `${shown(milliseconds)} ms is more than a year`;
}

/** The same for a time in which something was computed: it is not 0 either. */
export function impossibleLatency(milliseconds: number): string | undefined {
  return milliseconds === 0 ? "0 ms is no time to answer in" : impossibleTime(milliseconds);
}

/** Why a number of tokens cannot be one, or undefined. */
export function impossibleCount(tokens: number): string | undefined {
  if (Number.isSafeInteger(tokens) && tokens >= 0) return undefined;
  return `${shown(tokens)} is no number of tokens`;
}

/** Why a throughput cannot be one, or undefined. */
export function impossibleRate(tokensPerSecond: number): string | undefined {
  if (tokensPerSecond >= 0 && tokensPerSecond <= mostTokensPerSecond) return undefined;
  return `${shown(tokensPerSecond)} tokens/s are impossible`;
}

/** A number as the file has it, shortly. */
function shown(value: number): string {
  return String(Number(value.toPrecision(6)));
}
