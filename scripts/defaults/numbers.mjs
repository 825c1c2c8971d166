/** @param values holes count as nothing; not empty */
export function median(values) {
  const sorted = values.filter((value) => value !== undefined).toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The numbers x for which row · x comes closest to the value, in the squares of the differences.
 *
 * @param equations of as many numbers each
 */
export function solve(equations) {
  const size = equations[0].row.length;
  const matrix = Array.from({ length: size }, (_, i) => [
    ...Array.from({ length: size }, (_unused, j) =>
      equations.reduce((sum, { row }) => sum + row[i] * row[j], 0),
    ),
    equations.reduce((sum, { row, value }) => sum + row[i] * value, 0),
  ]);
  for (let column = 0; column < size; column += 1) {
    // The largest of a column is divided by: what is left stays small.
    const rest = matrix.slice(column);
    const pivot = rest.reduce((best, row) =>
      Math.abs(row[column]) > Math.abs(best[column]) ? row : best,
    );
    const at = matrix.indexOf(pivot);
    [matrix[column], matrix[at]] = [pivot, matrix[column]];
    for (const row of matrix) {
      if (row === pivot) continue;
      const factor = row[column] / pivot[column];
      for (let i = column; i <= size; i += 1) row[i] -= factor * pivot[i];
    }
  }
  return matrix.map((row, index) => row[size] / row[index]);
}
