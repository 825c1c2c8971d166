import { invalidOption } from "@streamgauge/core";
import type { RunPlan } from "../record/index.js";
import { idOfModel, type ChosenModel } from "./chosen-model.js";
import type { GeneratorPlan } from "./generator-plan.js";
import { embeddedModelName, promptFor } from "./prompts.js";
import type { CellPlan, Stage } from "./stage.js";

/**
 * What the user chose to measure. What is left out, or null, is not restricted.
 *
 * It is plain data, so that it crosses to other processes, and it is what the record
 * keeps: a {@link RunPlan} is a selection too.
 */
export interface Selection {
  /** Names of any scenarios that ship or are in a module, instead of the preset's own. */
  readonly scenarios?: RunPlan["scenarios"] | undefined;
  /** Only cells of these token counts. */
  readonly tokens?: RunPlan["tokens"] | undefined;
  /** Blocks of each cell and process, and of measurements that take it, instead of their own. */
  readonly blocks?: RunPlan["blocks"] | undefined;
  /**
   * Instead of the embedded model: a size with random weights, a model folder, or
   * `"hub:owner/name"` or `"hub:owner/name@revision"` for one that was pulled.
   */
  readonly model?: RunPlan["model"] | undefined;
  /** Which of the folder's graphs. Default: the one that the runtime chooses. */
  readonly dtype?: RunPlan["dtype"] | undefined;
  /**
   * For the whole run: cells get fewer blocks where it would take longer, and more where a run with
   * a budget has time for them.
   */
  readonly timeBudgetMinutes?: RunPlan["timeBudgetMinutes"] | undefined;
  /** Kinds of profiles to make of the streams, as in `profileKinds`. */
  readonly profiles?: RunPlan["profiles"] | undefined;
}

/** A selection as the record keeps it, with null for what is not restricted. */
type RecordedSelection = Pick<
  RunPlan,
  "scenarios" | "tokens" | "blocks" | "model" | "dtype" | "timeBudgetMinutes" | "profiles"
>;

/** A selection whose model was found. */
export interface FoundSelection extends Omit<Selection, "model" | "dtype"> {
  /** Instead of the embedded model. */
  readonly model?: ChosenModel | undefined;
}

/** The fields of a selection alone, for the record. */
export function recordSelection(selection: Selection): RecordedSelection {
  return {
    scenarios: selection.scenarios ?? null,
    tokens: selection.tokens ?? null,
    blocks: selection.blocks ?? null,
    model: selection.model ?? null,
    ...(selection.dtype !== undefined && { dtype: selection.dtype }),
    timeBudgetMinutes: selection.timeBudgetMinutes ?? null,
    profiles: selection.profiles ?? [],
  };
}

/**
 * What a selection's token counts, blocks and model leave of stages, generator by
 * generator.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a wrong number, for what would change nothing, and
 *   when nothing is left
 */
export function narrow(
  all: readonly Stage[],
  { tokens = null, blocks = null, model }: FoundSelection,
): readonly Stage[] {
  if (blocks !== null && !(Number.isInteger(blocks) && blocks >= 1)) {
    throw invalidOption(`The number of blocks is ${blocks}; it must be an integer ≥ 1.`);
  }
  refuseIdle(all, { tokens, blocks, model });
  const stages = all
    .map((stage) => (model === undefined ? stage : withModel(stage, model)))
    .map((stage) => ({
      ...stage,
      cells: stage.cells
        .filter((cell) => tokens?.includes(cell.tokens) ?? true)
        .map(({ range, ...cell }): CellPlan => {
          if (blocks !== null) return { ...cell, blocks };
          return { ...cell, ...(range !== undefined && { range }) };
        }),
      measurements: stage.measurements.map((plan) =>
        blocks === null ? plan : (plan.withBlocks?.(blocks) ?? plan),
      ),
    }))
    .filter(({ cells, measurements }) => cells.length > 0 || measurements.length > 0);
  if (stages.length === 0) {
    throw invalidOption("Nothing is left to run: choose other scenarios or token counts.");
  }
  return mergeByGenerator(stages);
}

/** Refuses what nothing that is chosen heeds. */
function refuseIdle(
  stages: readonly Stage[],
  { tokens, blocks, model }: Pick<FoundSelection, "tokens" | "blocks" | "model">,
): void {
  const counts = new Set(stages.flatMap(({ cells }) => cells.map((cell) => cell.tokens)));
  const missing = tokens?.find((count) => !counts.has(count));
  if (missing !== undefined) {
    const known = [...counts].toSorted((first, second) => first - second).join(", ");
    throw invalidOption(
      `Nothing that is chosen has ${missing} tokens. ` +
        (known === ""
          ? "Leave tokens out: they choose among cells."
          : `There are cells of ${known}.`),
    );
  }
  const takesBlocks = ({ cells, measurements }: Stage): boolean =>
    cells.length > 0 || measurements.some(({ withBlocks }) => withBlocks !== undefined);
  if (typeof blocks === "number" && !stages.some(takesBlocks)) {
    throw invalidOption("Nothing that is chosen is measured in blocks: leave blocks out.");
  }
  if (model !== undefined && !stages.some(runsEmbedded)) {
    throw invalidOption(
      `model is "${model.name}", and nothing that is chosen runs the embedded model, in whose ` +
        "place it would be: leave model out, or choose other scenarios.",
    );
  }
}

function runsEmbedded({ generator }: Stage): boolean {
  return generator.model === embeddedModelName;
}

/** The embedded model is what is replaced; a stage without it stays. */
function withModel(stage: Stage, chosen: ChosenModel): Stage {
  if (!runsEmbedded(stage)) return stage;
  const { generator } = stage;
  const { name, folder, dtype } = chosen;
  const model = dtype === undefined ? name : `${name} ${dtype}`;
  const rename = (id: string): string => id.replace(embeddedModelName, idOfModel(chosen));
  const changed: GeneratorPlan = {
    ...generator,
    model,
    ...(folder !== undefined && { modelFolder: folder }),
    ...(dtype !== undefined && { dtype }),
    id: rename(generator.id),
  };
  return {
    ...stage,
    generator: changed,
    prompt: promptFor(changed),
    // Its runs come one after the other: it may make one generation at a time only.
    cells: stage.cells.map(({ sliceTokens: _, ...cell }) => ({
      ...cell,
      model,
      id: rename(cell.id),
      generator: changed.id,
    })),
  };
}

/** One generator is made once, whatever scenarios measure on it. */
function mergeByGenerator(stages: readonly Stage[]): Stage[] {
  const merged = new Map<string, Stage>();
  for (const stage of stages) {
    const before = merged.get(stage.generator.id);
    merged.set(
      stage.generator.id,
      before === undefined
        ? stage
        : {
            ...before,
            cells: [...before.cells, ...stage.cells],
            measurements: [
              ...before.measurements,
              // Two scenarios can want the same thing.
              ...stage.measurements.filter(
                ({ id }) => !before.measurements.some((known) => known.id === id),
              ),
            ],
          },
    );
  }
  return [...merged.values()];
}
