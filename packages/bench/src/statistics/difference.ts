/** Up to this, as a fraction, a difference between two floating-point numbers is rounding. */
const relativeRounding = 1e-9;

/** Up to this, a difference is rounding even where both numbers are next to zero. */
const absoluteRounding = 1e-12;

/**
 * The first place in which two JSON values differ, as a phrase, or undefined.
 * Integers have to be equal. Other numbers may differ by 10⁻⁹ of themselves, or
 * by 10⁻¹²: a logarithm is not the same to the last bit everywhere.
 *
 * @param path what the values are called in the phrase
 * @param source where the derived value is from, in the phrase
 */
export function firstDifference(
  recorded: unknown,
  derived: unknown,
  path: string,
  source = "from the raw samples",
): string | undefined {
  if (isCompound(recorded) && isCompound(derived)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(derived)])) {
      const step = Array.isArray(recorded) ? `[${key}]` : `.${key}`;
      const found = firstDifference(own(recorded, key), own(derived, key), path + step, source);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return areEqual(recorded, derived)
    ? undefined
    : `${path} is ${show(recorded)} in the record and ${show(derived)} ${source}`;
}

/** Not what an object inherits: a record may have a field called "constructor". */
function own(value: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

function isCompound(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function areEqual(first: unknown, second: unknown): boolean {
  if (typeof first !== "number" || typeof second !== "number") return first === second;
  if (first === second) return true;
  if (Number.isInteger(first) && Number.isInteger(second)) return false;
  const magnitude = Math.max(Math.abs(first), Math.abs(second));
  return Math.abs(first - second) <= Math.max(absoluteRounding, relativeRounding * magnitude);
}

const longestShown = 60;

function show(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
