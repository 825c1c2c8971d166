import {
  invalidOption,
  type GenerationConfig,
  type Generator,
  type Prompt,
} from "@streamgauge/core";
import type { ScenarioGenerator } from "../plan/generator-plan.js";
import type { CellPlan, Scenario, Size } from "../plan/stage.js";

/** Anybody's generator as a scenario; see {@link defineScenario}. */
export interface ScenarioDefinition {
  /** Letters, digits and dashes: what `--scenario` says. */
  readonly name: string;
  readonly description?: string;
  /**
   * Makes the generator, once in each process. Whatever satisfies core's
   * `Generator`; `describe()` and `close()` are used where they are there.
   */
  readonly open: () => Promise<MeasurableGenerator> | MeasurableGenerator;
  /** What every run continues. */
  readonly prompt: Prompt;
  /** Tokens of each generation; a cell for each. Default 10, 50 and 100. */
  readonly tokens?: readonly number[];
  /** Instead of greedy decoding past the end of the text, where a generator cannot do that. */
  readonly config?: Omit<GenerationConfig, "maxTokens" | "signal">;
  /** Blocks of each cell and process, instead of what the preset's size suggests. */
  readonly blocks?: number;
  /** Seconds after which a cell ends in each process, with the blocks that it has. */
  readonly timeBudgetSeconds?: number;
  /** For tables. Default: the scenario's name. */
  readonly model?: string;
}

/** Core's generator; the two others are optional. */
export type MeasurableGenerator = Generator &
  Partial<Pick<ScenarioGenerator, "describe" | "close" | "diagnostics">>;

const sizes: Readonly<Record<Size, { blocks: number; timeBudgetSeconds: number }>> = {
  quick: { blocks: 12, timeBudgetSeconds: 4 },
  standard: { blocks: 24, timeBudgetSeconds: 10 },
  full: { blocks: 48, timeBudgetSeconds: 20 },
};

/**
 * A scenario over any generator. Its modes have to make the same ids for the
 * same prompt, config and seed; what does not is a failed cell, not a result.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for a name or number that cannot be
 */
export function defineScenario(definition: ScenarioDefinition): Scenario {
  const { name, tokens = [10, 50, 100], prompt, config } = definition;
  if (!/^[a-z\d]+(-[a-z\d]+)*$/i.test(name)) {
    throw invalidOption(`The scenario's name is "${name}"; it must be letters, digits and dashes.`);
  }
  for (const [what, value] of [
    ...tokens.map((count) => ["token count", count] as const),
    ["number of blocks", definition.blocks ?? 1] as const,
  ]) {
    if (!Number.isInteger(value) || value < 1) {
      throw invalidOption(
        `A ${what} of the scenario "${name}" is ${value}; it must be an integer ≥ 1.`,
      );
    }
  }
  const generator = {
    id: name,
    engine: "custom",
    model: definition.model ?? name,
    host: "own",
  } as const;
  const { id: _, ...identity } = generator;
  return {
    name,
    description: definition.description ?? `the generator of ${name}`,
    stages: (size) => [
      {
        generator,
        prompt,
        measurements: [],
        open: async () => complete(await definition.open()),
        cells: tokens.map((count): CellPlan => ({
          ...identity,
          id: `${name}-${count}`,
          scenario: name,
          generator: name,
          tokens: count,
          blocks: definition.blocks ?? sizes[size].blocks,
          timeBudgetSeconds: definition.timeBudgetSeconds ?? sizes[size].timeBudgetSeconds,
          expectedBlockSeconds: 4 * count * 0.002,
          ...(config !== undefined && { config }),
        })),
      },
    ],
  };
}

function complete(generator: MeasurableGenerator): ScenarioGenerator {
  const { diagnostics } = generator;
  return {
    generate: (...call) => generator.generate(...call),
    generateStream: (...call) => generator.generateStream(...call),
    generateStreamAsync: (...call) => generator.generateStreamAsync(...call),
    describe: () => generator.describe?.() ?? null,
    close: async () => await generator.close?.(),
    ...(diagnostics !== undefined && { diagnostics }),
  };
}
