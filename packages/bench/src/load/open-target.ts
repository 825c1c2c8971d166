import { invalidOption, type Prompt } from "@streamgauge/core";
import type { ServerPlan } from "../plan/endpoint-plan.js";
import type { Scenario } from "../plan/stage.js";
import type { LoadTarget } from "../record/index.js";
import { loadScenarios } from "../run/plan-stages.js";
import { openEndpoint } from "../scenarios/open-endpoint.js";
import { openGenerator } from "../scenarios/open-generator.js";
import { requestOf, type RequestMix } from "./request-mix.js";
import type { LoadGenerator } from "./run-shard.js";

/** What a load asks. Plain data, without the key itself. */
export type TargetPlan =
  | ({ readonly kind: "endpoint"; readonly api: "completions" | "chat" } & ServerPlan)
  /** A module that exports scenarios, as `bench` takes it. */
  | { readonly kind: "module"; readonly url: string; readonly scenario?: string | undefined };

/** A target that is ready. */
export interface OpenTarget {
  readonly generator: LoadGenerator;
  /** What a record keeps of it. */
  readonly recorded: LoadTarget;
  close(): Promise<void>;
}

/**
 * Prompts that a target brings along: those of a module's scenario. Empty for an endpoint.
 *
 * @throws StreamgaugeError `INVALID_SCENARIOS` and `INVALID_OPTION` for a module without the scenario
 */
export async function promptsOf(plan: TargetPlan): Promise<readonly Prompt[]> {
  if (plan.kind === "endpoint") return [];
  const { prompt, prompts = [prompt] } = stageOf(await findScenario(plan));
  return prompts;
}

/**
 * Opens a target. An endpoint is asked for a few tokens of the first request: what is wrong with it
 * shows before any load.
 *
 * @throws StreamgaugeError `ENDPOINT_FAILED` for an endpoint that does not answer as one,
 *   `INVALID_SCENARIOS` for a module that does not load, and what its generator throws
 */
export async function openTarget(
  plan: TargetPlan,
  {
    mix,
    seed,
    signal,
  }: { readonly mix: RequestMix; readonly seed: number; readonly signal?: AbortSignal | undefined },
): Promise<OpenTarget> {
  const { ignoreEos } = mix;
  if (plan.kind === "endpoint") {
    const { host, model, keyEnv, api } = plan;
    const prompts = [requestOf(mix, seed, 0).prompt];
    const use = { api, prompts, ignoreEos, isOnlyStreamed: true };
    const generator = await openEndpoint(plan, use, signal);
    return {
      generator,
      recorded: {
        kind: "endpoint",
        host,
        model,
        api,
        ...(keyEnv !== undefined && { keyEnv }),
        ignoreEos,
        description: generator.describe(),
      },
      close: () => generator.close(),
    };
  }
  const scenario = await findScenario(plan);
  const { open = openGenerator, generator: generatorPlan } = stageOf(scenario);
  const generator = await open(generatorPlan);
  return {
    generator,
    recorded: {
      kind: "module",
      name: scenario.name,
      ignoreEos,
      description: generator.describe() ?? null,
    },
    close: () => generator.close(),
  };
}

async function findScenario({
  url,
  scenario: name,
}: Extract<TargetPlan, { readonly kind: "module" }>): Promise<Scenario> {
  const scenarios = await loadScenarios(url);
  const found = name === undefined ? scenarios : scenarios.filter((each) => each.name === name);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const names = scenarios.map((each) => each.name).join(", ");
  throw invalidOption(
    name === undefined
      ? `${url} has several scenarios: name one of them with --scenario (${names}).`
      : `${url} has no scenario "${name}", or several. It has: ${names}.`,
  );
}

function stageOf({ name, stages }: Scenario): ReturnType<Scenario["stages"]>[number] {
  const [stage] = stages("quick");
  if (stage !== undefined) return stage;
  throw invalidOption(`The scenario "${name}" has no generator to load: give another.`);
}
