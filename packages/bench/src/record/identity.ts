import { number, optional, pick, string, type Shape } from "./shape.js";
import { treatment, type Treatment } from "./treatment.js";
import { cellVariationShape, type CellVariation } from "./variant.js";

/** What is held fixed in one cell. */
export interface CellIdentity extends CellVariation {
  /** Unique in a record. */
  readonly id: string;
  readonly scenario: string;
  /** {@link GeneratorDescription.id} */
  readonly generator: string;
  /** `onnx` or `paced`. */
  readonly engine: string;
  readonly model: string;
  /** `pooled` (worker threads) or `inline` (the consuming thread). */
  readonly host: string;
  /** Tokens made by each generation. */
  readonly tokens: number;
  /**
   * The runs of a block take turns, each making so many tokens while the others are held; without
   * it they come one after the other.
   */
  readonly sliceTokens?: number;
}

/** Which generator a measurement was made on, and how its tokens were taken. */
export interface MeasuredMode extends Pick<
  CellIdentity,
  "generator" | "model" | "host" | "tokens"
> {
  readonly treatment: Treatment;
}

/** The checks of a {@link CellIdentity}. */
export const cellIdentityShape: Shape<CellIdentity> = {
  id: string,
  scenario: string,
  generator: string,
  engine: string,
  model: string,
  host: string,
  tokens: number,
  sliceTokens: optional(number),
  ...cellVariationShape,
};

/** The fields of {@link CellIdentity}. */
export const identityFields: readonly (keyof CellIdentity)[] = Object.keys(
  cellIdentityShape,
) as (keyof CellIdentity)[];

/** What identifies a cell, of a cell or a plan for one, or as much of it as there is. */
export function identityOf(cell: CellIdentity): CellIdentity;
export function identityOf(cell: Partial<CellIdentity>): Partial<CellIdentity>;
export function identityOf(cell: Partial<CellIdentity>): Partial<CellIdentity> {
  const entries = identityFields.map((field) => [field, cell[field]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** The checks of a {@link MeasuredMode}. */
export const measuredModeShape: Shape<MeasuredMode> = {
  ...pick(cellIdentityShape, "generator", "model", "host"),
  treatment,
  tokens: cellIdentityShape.tokens,
};
