import { InvalidRecordError } from "@streamgauge/bench/record";
import { printable } from "@streamgauge/bench/tables";

/** What the values of a column are; each may also be null. `time` is a moment, to the millisecond. */
export type ColumnType = "text" | "integer" | "number" | "boolean" | "time";

/** One value: a `Date` for `time`, and null for what does not apply or was not measured. */
export type ColumnValue = string | number | boolean | Date | null;

/** What a table says of a column before its rows. */
export interface ColumnHead {
  /** In snake case, with the unit: the record's own name, where the record has one. */
  readonly name: string;
  readonly type: ColumnType;
}

/** A column, and how it is taken from a row. */
export interface Column<Row> extends ColumnHead {
  /** @throws InvalidRecordError for a value that cannot be of this type */
  readonly of: (row: Row) => ColumnValue;
}

/** Where a column is empty. */
type Absent = null | undefined;

/** A column of texts, without what a terminal would obey. */
export function text<Row>(name: string, of: (row: Row) => string | Absent): Column<Row> {
  return { name, type: "text", of: (row) => mapped(of(row), printable) };
}

/** A column of whole numbers, at most 2⁵³ − 1 in magnitude. */
export function integer<Row>(name: string, of: (row: Row) => number | Absent): Column<Row> {
  return {
    name,
    type: "integer",
    of: (row) =>
      mapped(of(row), (value) =>
        Number.isSafeInteger(value) ? value : refuse(name, value, "a whole number"),
      ),
  };
}

/** A column of floating-point numbers. */
export function number<Row>(name: string, of: (row: Row) => number | Absent): Column<Row> {
  return { name, type: "number", of: (row) => of(row) ?? null };
}

/** A column of true and false. */
export function boolean<Row>(name: string, of: (row: Row) => boolean | Absent): Column<Row> {
  return { name, type: "boolean", of: (row) => of(row) ?? null };
}

/** A column of moments, from texts in ISO 8601. */
export function time<Row>(name: string, of: (row: Row) => string | Absent): Column<Row> {
  return {
    name,
    type: "time",
    of: (row) =>
      mapped(of(row), (value) => {
        const moment = new Date(value);
        return Number.isNaN(moment.getTime())
          ? refuse(name, JSON.stringify(value), "a time in ISO 8601")
          : moment;
      }),
  };
}

function mapped<From, To>(value: From | Absent, change: (value: From) => To): To | null {
  return value === undefined || value === null ? null : change(value);
}

function refuse(name: string, value: string | number, expected: string): never {
  throw new InvalidRecordError(
    `The record is damaged: ${name} is ${value}, and must be ${expected}. ` +
      `Run the bench again, or take an intact copy.`,
  );
}
