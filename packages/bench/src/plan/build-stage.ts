import type { RingOptions } from "@streamgauge/runtime/ring";
import type { GeneratorPlan } from "./generator-plan.js";
import { embeddedModelName, promptFor } from "./prompts.js";
import type { CellPlan, MeasurementPlan, Size, Stage } from "./stage.js";

/** Tokens per second that the time estimates start from. */
const expectedTokensPerSecond: ReadonlyMap<string, number> = new Map([
  [embeddedModelName, 850],
  ["15M", 200],
  ["42M", 80],
  ["135M", 25],
]);

/**
 * Blocks of a cell, the seconds after which it ends with those that it has, and the range in which
 * a run may choose others.
 */
export type CellSize = readonly [
  blocks: number,
  timeBudgetSeconds: number,
  range?: NonNullable<CellPlan["range"]>,
];

/** By token count, for each size of a run; one that is left out has no such cells. */
export type CellSizes = Readonly<Record<Size, Readonly<Record<number, CellSize>>>>;

/** What cells of one stage have in common beyond their generator. */
export type CellVariant = Pick<
  CellPlan,
  "workload" | "sampling" | "concurrency" | "config" | "injectedFraction"
>;

/** A stage with a cell for each token count. */
export function stageOf(
  scenario: string,
  generator: GeneratorPlan,
  sizes: Readonly<Record<number, CellSize>>,
  variants: Readonly<Record<string, CellVariant>> = { "": {} },
): Stage {
  return {
    generator,
    prompt: promptFor(generator),
    measurements: [],
    cells: Object.entries(variants).flatMap(([name, variant]) =>
      Object.entries(sizes).map(([tokens, [blocks, timeBudgetSeconds, range]]): CellPlan => ({
        id: [generator.id, name, tokens].filter((part) => part !== "").join("-"),
        scenario,
        generator: generator.id,
        engine: generator.engine,
        model: generator.model,
        host: generator.host,
        tokens: Number(tokens),
        ...ringVariation(generator),
        ...variant,
        blocks,
        timeBudgetSeconds,
        ...(range !== undefined && { range }),
        expectedBlockSeconds:
          4 * (variant.concurrency ?? 1) * (Number(tokens) * secondsPerToken(generator) + 0.001),
      })),
    ),
  };
}

/** Has the runs of its longer cells take turns; see `measureInTurns`. */
export function inTurns(
  stage: Stage,
  { fromTokens, sliceTokens }: { readonly fromTokens: number; readonly sliceTokens: number },
): Stage {
  const cells = stage.cells.map((cell) =>
    cell.tokens < fromTokens ? cell : { ...cell, sliceTokens },
  );
  return { ...stage, cells };
}

function ringVariation({ ring = {} }: GeneratorPlan): Partial<CellPlan> {
  const { capacity, publishBatch, wait, spinMicroseconds, maxDelayMilliseconds } = ring;
  return {
    ...(capacity !== undefined && { ringCapacity: capacity }),
    ...(publishBatch !== undefined && { publishBatch }),
    ...(wait !== undefined && { ringWait: wait }),
    ...(spinMicroseconds !== undefined && { spinMicroseconds }),
    ...(maxDelayMilliseconds !== undefined && { maxDelayMilliseconds }),
  };
}

/** Gives a generator a ring of its own; what is not given is the runtime's default. */
export function withRing(plan: GeneratorPlan, ring: RingOptions): GeneratorPlan {
  const { capacity, publishBatch, wait, spinMicroseconds, maxDelayMilliseconds } = ring;
  const parts = [
    plan.id,
    capacity && `ring-${capacity}`,
    publishBatch && `batch-${publishBatch}`,
    wait,
    spinMicroseconds && `spin-${spinMicroseconds}us`,
    maxDelayMilliseconds === undefined ? undefined : `delay-${maxDelayMilliseconds}ms`,
  ];
  return { ...plan, id: parts.filter((part) => part !== undefined).join("-"), ring };
}

/** A stage that only has measurements. */
export function measurementsOn(
  generator: GeneratorPlan,
  measurements: readonly MeasurementPlan[],
): Stage {
  return { generator, prompt: promptFor(generator), cells: [], measurements };
}

/** The embedded model. */
export function pequod(host: "pooled" | "inline"): GeneratorPlan {
  return { id: `${embeddedModelName}-${host}`, engine: "onnx", model: embeddedModelName, host };
}

/** The paced engine with a step of so many microseconds. */
export function paced(stepMicroseconds: number, host: "pooled" | "inline"): GeneratorPlan {
  return {
    id: `paced-${stepMicroseconds}us-${host}`,
    engine: "paced",
    model: `paced ${stepMicroseconds} µs`,
    host,
    stepMicroseconds,
  };
}

/** A guess, for the time left. */
export function secondsPerToken({ engine, model, stepMicroseconds = 0 }: GeneratorPlan): number {
  if (engine === "paced") return (stepMicroseconds + 15) / 1e6;
  return 1 / (expectedTokensPerSecond.get(model) ?? 100);
}
