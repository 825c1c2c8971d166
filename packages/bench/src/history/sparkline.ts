const unicodeLevels = "▁▂▃▄▅▆▇█";
const asciiLevels = "_.-=+*#@";

/** A series as a line of characters, lowest to highest; the last `width` values of it. */
export function sparkline(
  values: readonly number[],
  { unicode, width = 40 }: { readonly unicode: boolean; readonly width?: number },
): string {
  const levels = unicode ? unicodeLevels : asciiLevels;
  const shown = values.slice(-width);
  const lowest = Math.min(...shown);
  const range = Math.max(...shown) - lowest;
  return shown
    .map((value) => {
      const height = range === 0 ? 0 : (value - lowest) / range;
      return levels[Math.min(levels.length - 1, Math.floor(height * levels.length))];
    })
    .join("");
}
