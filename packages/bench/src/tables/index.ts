export { comparisonOf } from "./comparisons.js";
export { costs } from "./costs.js";
export {
  modeNames,
  notesIn,
  shownIn,
  type Column,
  type Note,
  type Place,
  type Row,
  type Table,
} from "./table.js";
export { tails } from "./tails.js";
export type { Interval, Quantity, Value } from "./value.js";
