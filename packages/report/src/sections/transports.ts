import { describeLoad, type ResultRecord, type RingDescription } from "@streamgauge/bench/record";
import { transports as tablesOf, type Table } from "@streamgauge/bench/tables";
import { tableSection } from "./section.js";

/** What each way between threads costs; nothing where none was measured. */
export function transports(record: ResultRecord): string[] {
  const { transports: measured = [] } = record;
  return tablesOf(record).flatMap((table, index) => {
    const measurement = measured[index];
    const rings = measurement?.transports.map(({ ring }) => ring) ?? [];
    if (measurement === undefined || !isGrid(rings)) return [tableSection(record, table)];
    return ringGrids(table, rings, `Rings, ${describeLoad(measurement)}`).map((grid, nth) =>
      tableSection(record, grid, { level: nth === 0 ? 2 : 3 }),
    );
  });
}

/** Whether rings differ in their size and batches: those are easiest to read as grids. */
function isGrid(rings: readonly (RingDescription | null)[]): rings is readonly RingDescription[] {
  const capacities = new Set(rings.map((ring) => ring?.capacity));
  return capacities.size > 1 && rings.every((ring) => ring !== null);
}

/** Columns of the table, by their heads, that each become a grid. */
const quantities = ["CPU", "tokens/s", "p50", "p99"];

/** A grid of slots and batches for each quantity, with the values of the table's rows. */
function ringGrids(
  { columns, rows, notes = [], definitions = [] }: Table,
  rings: readonly RingDescription[],
  about: string,
): Table[] {
  const capacities = [...new Set(rings.map(({ capacity }) => capacity))].toSorted(
    (first, second) => first - second,
  );
  const variants = [...new Set(rings.map(variantOf))];
  return quantities.map((quantity, nth) => {
    const column = columns.findIndex(({ head }) => head === quantity);
    return {
      heading: `${about}: ${columns[column]?.documentHead ?? quantity}`,
      title: "",
      columns: ["slots", ...variants].map((head) => ({ head })),
      rows: capacities.map((capacity) => ({
        values: [
          String(capacity),
          ...variants.map((variant) => {
            const row = rings.findIndex(
              (ring) => ring.capacity === capacity && variantOf(ring) === variant,
            );
            return rows[row]?.values[column] ?? null;
          }),
        ],
      })),
      ...(nth === 0 && { notes, definitions }),
    };
  });
}

/** What a ring has beside its slots: `batch 4`, `batch 1, delay 0 ms`. */
function variantOf({ publishBatch, maxDelayMilliseconds: delay }: RingDescription): string {
  const batch = `batch ${publishBatch}`;
  return delay === undefined ? batch : `${batch}, delay ${delay} ms`;
}
