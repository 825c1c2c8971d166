import type { Generator } from "@streamgauge/core";
import type { UntypedDiagnostics } from "./thread-reports.js";

/** Which generator a stage of the bench measures. Plain data. */
export interface GeneratorPlan {
  /** Unique in a record. */
  readonly id: string;
  /**
   * `onnx`: a model in onnxruntime. `paced`: known ids on a schedule, no
   * arithmetic. Any other word names a generator that is not the runtime's.
   */
  readonly engine: string;
  /** What tables say. The embedded model's name, a size with random weights (`15M`), or any with a folder. */
  readonly model: string;
  /** The folder of an `onnx` model that is neither embedded nor a size. */
  readonly modelFolder?: string;
  /** Which of the folder's graphs. Default: the runtime's choice. */
  readonly dtype?: string;
  /** `pooled`: in a worker thread. `inline`: in the consuming thread, without a hop. */
  readonly host: string;
  /** Time between two tokens; for the paced engine only. */
  readonly stepMicroseconds?: number;
  /** Share by which streams are slower than `generate()`; for calibrations, on the paced engine. */
  readonly injectedFraction?: number;
  /** How tokens cross threads; pooled only. Default: the runtime's. */
  readonly ring?: RingPlan;
  /** Worker threads; pooled only. Default 1: one stream at a time is measured. */
  readonly workers?: number;
  /** Whether its generations can be held between tokens; see `gateOf` of {@link ScenarioGenerator}. Pooled only. */
  readonly gated?: boolean;
  /** Has onnxruntime write its operator profile to files that begin with this path. */
  readonly operatorProfile?: string;
}

/**
 * How tokens cross threads: what `RingOptions` of `@streamgauge/runtime/ring` has, which says what
 * each means. It is written out because these types have to hold where the runtime is not installed.
 */
export interface RingPlan {
  readonly capacity?: number;
  readonly publishBatch?: number;
  readonly ledger?: boolean;
  readonly wait?: "waitAsync" | "message" | "block";
  readonly spinMicroseconds?: number;
  readonly maxDelayMilliseconds?: number;
}

/**
 * Holds one generation between tokens: what `StepGate` of
 * `@streamgauge/runtime/diagnostics` does, which says more.
 */
export interface Gate {
  /** Lets this many more tokens be made; then the generation is held. */
  allow(tokens: number): void;
  /** Holds nothing from now on. */
  open(): void;
  /** Resolves when the generation is held; not where it ends before. */
  held(): Promise<void>;
}

/** What the bench needs of a generator beside core's contract. */
export type ScenarioGenerator = Generator & {
  /** What the record says about it; JSON. */
  describe(): unknown;
  close(): Promise<void>;
  /** Its worker threads' diagnostics, where it has such threads. */
  readonly diagnostics?: UntypedDiagnostics;
  /**
   * What holds the generations of a client, one at a time; open at first. There where the plan asked
   * for it, {@link GeneratorPlan.gated}.
   */
  gateOf?(clientId: string): Gate;
  /** The files that {@link GeneratorPlan.operatorProfile} asked for; empty until `close()` has ended. */
  operatorProfiles?(): readonly string[];
};

/** Makes the generator of a plan. */
export type OpenGenerator = (plan: GeneratorPlan) => Promise<ScenarioGenerator>;
