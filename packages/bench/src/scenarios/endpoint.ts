import type { EndpointPlan, ServerPlan } from "../plan/endpoint-plan.js";
import type { GeneratorPlan } from "../plan/generator-plan.js";
import type { CellPlan, Scenario } from "../plan/stage.js";
import { treatments } from "../record/index.js";
import { openEndpoint } from "./open-endpoint.js";

/** Processes of a run over an endpoint. */
export const endpointProcesses = 8;

/** A balanced square of the modes of two endpoints; with eight processes enough for a verdict. */
const fewestBlocks = 8;

/** A guess, before a token was seen. */
const secondsPerToken = 0.02;

/**
 * An endpoint as a scenario: streamed against not streamed, with natural ends, and against
 * another endpoint where the plan has one. Each prompt comes at least once over all processes.
 */
export function endpointScenario(plan: EndpointPlan): Scenario {
  const { prompts, maxTokens, against } = plan;
  const first = generatorOf("endpoint", plan);
  const blocks = Math.max(fewestBlocks, 4 * Math.ceil(prompts.length / endpointProcesses / 4));
  const servers = against === undefined ? 1 : 2;
  const second = against && generatorOf("against", against);
  const cellOf = ({ id, ...identity }: GeneratorPlan): CellPlan => ({
    ...identity,
    id: idOf(id, identity.model),
    scenario: "endpoint",
    generator: id,
    tokens: maxTokens,
    endsNaturally: true,
    ...(prompts.length > 1 && { prompts: prompts.length }),
    blocks,
    // One drops what is slow once, such as a prompt that the server has not seen.
    warmUpBlocks: 1,
    timeBudgetSeconds: 240,
    expectedBlockSeconds: servers * treatments.length * maxTokens * secondsPerToken,
    config: { temperature: 0 },
  });
  return {
    name: "endpoint",
    description: `${plan.model} at ${plan.host}`,
    stages: () => [
      {
        generator: first,
        prompt: prompts[0] ?? "",
        prompts,
        measurements: [],
        open: () => openEndpoint(plan, plan),
        cells: [
          {
            ...cellOf(first),
            ...(second !== undefined && { against: idOf(second.id, second.model) }),
          },
        ],
        ...(against !== undefined &&
          second !== undefined && {
            counterpart: {
              generator: second,
              open: () => openEndpoint(against, plan),
              cells: [cellOf(second)],
            },
          }),
      },
    ],
  };
}

function generatorOf(id: string, { model, host }: ServerPlan): GeneratorPlan {
  return { id, engine: "http", model, host };
}

/** It names a file. */
function idOf(name: string, model: string): string {
  const shown = model.replaceAll(/[^\w.-]+/g, "-").slice(0, 60);
  return `${name}-${shown}`;
}
