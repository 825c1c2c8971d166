import type { GenerationConfig, Prompt } from "@streamgauge/core";
import type { Clock } from "./clock.js";
import type {
  CellIdentity,
  MeasurementPromise,
  RecordMeasurements,
  ResultRecord,
} from "../record/index.js";
import type { GeneratorPlan, OpenGenerator, ScenarioGenerator } from "./generator-plan.js";

/** How much of a scenario to run. Those of `standard` and `full` are for each of several processes. */
export type Size = "quick" | "standard" | "full";

/** A question that the bench asks, with everything that is measured to answer it. */
export interface Scenario {
  /** What `--scenario` says. */
  readonly name: string;
  /** One line for `--help`. */
  readonly description: string;
  readonly stages: (size: Size) => readonly Stage[];
}

/** What is measured on one generator, which is made once for all of it. */
export interface Stage {
  readonly generator: GeneratorPlan;
  readonly prompt: Prompt;
  /** Instead of it, for the cells: the blocks take them in turn. */
  readonly prompts?: readonly Prompt[];
  readonly cells: readonly CellPlan[];
  /**
   * A generator that is measured in the same blocks, in cells of its own: a cell with
   * `against` names its counterpart here.
   */
  readonly counterpart?: {
    readonly generator: GeneratorPlan;
    readonly open: OpenGenerator;
    readonly cells: readonly CellPlan[];
  };
  /** What is no cell, after the cells; in the first process only. */
  readonly measurements: readonly MeasurementPlan[];
  /** Makes the generator. Default: the runtime's. */
  readonly open?: OpenGenerator;
}

/** One cell to run. */
export interface CellPlan extends CellIdentity {
  /** Blocks in each process. */
  readonly blocks: number;
  /**
   * Fewest and most blocks of a process, where a run with a time for all of it may choose: it gives
   * the time to the cells that need it, see `allotBlocks`.
   */
  readonly range?: readonly [fewest: number, most: number];
  /** The cell ends early after this long, with the blocks that it has. */
  readonly timeBudgetSeconds: number;
  /** A guess, for the time left; corrected by what is seen. */
  readonly expectedBlockSeconds: number;
  /** Blocks that are dropped in each process. Default: until the cell is steady. */
  readonly warmUpBlocks?: number;
  /** Instead of greedy decoding past the end of the text. `maxTokens` is the cell's. */
  readonly config?: Omit<GenerationConfig, "maxTokens" | "signal">;
}

/** Something that is measured in other ways than by interleaved modes. */
export interface MeasurementPlan {
  /** For the progress display. Unique in a run. */
  readonly id: string;
  /** A guess, for the time left. */
  readonly expectedSeconds: number;
  /** What its result is to be judged by. Default: nothing. */
  readonly promises?: readonly MeasurementPromise[];
  /** The same with so many blocks, where that can be chosen. */
  readonly withBlocks?: (blocks: number) => MeasurementPlan;
  /** Measures, and returns what belongs into the record. An aborted one returns what it has. */
  measure(generator: ScenarioGenerator, context: MeasurementContext): Promise<Measurements>;
}

/** The parts of a record that measurements fill. */
export type Measurements = Partial<RecordMeasurements & Pick<ResultRecord, "failedMeasurements">>;

/** What a measurement is given. */
export interface MeasurementContext {
  readonly clock: Clock;
  /** Seed of everything that is drawn, and of the generations. */
  readonly seed: number;
  readonly plan: GeneratorPlan;
  readonly prompt: Prompt;
  readonly signal: AbortSignal | undefined;
  /** Makes another generator, for a comparison; the measurement closes it. */
  readonly open: OpenGenerator;
  /** Saves a file beside the record. Returns its path relative to the record, with slashes. */
  saveFile(name: string, content: string | Uint8Array): Promise<string>;
  /** Says what it is doing, for the progress display; in a few words. */
  readonly report?: ((step: string) => void) | undefined;
}
