import { existsSync } from "node:fs";
import { StreamgaugeError } from "@streamgauge/core";
import type * as Runtime from "@streamgauge/runtime";
import type { StepGate } from "@streamgauge/runtime/diagnostics";
import type { GeneratorPlan, ScenarioGenerator } from "../plan/generator-plan.js";
import { injectDelay } from "../plan/injected-delay.js";
import { missingModel } from "../plan/chosen-model.js";
import { embeddedModelName } from "../plan/prompts.js";
import { isModelSize, randomModel, type RandomModelOptions } from "../plan/random-model.js";
import { workerDiagnostics } from "./thread-diagnostics.js";
import { needsRuntime } from "../plan/needs-runtime.js";

/**
 * Makes the generator of a plan with `@streamgauge/runtime`. The runtime is
 * loaded here and not before, so that `--help` does not load onnxruntime.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for an engine that the runtime does
 *   not have, `MODEL_NOT_FOUND` for a model that is none, and what the runtime throws
 */
export async function openGenerator(
  plan: GeneratorPlan,
  options: RandomModelOptions = {},
): Promise<ScenarioGenerator> {
  const { injectedFraction, stepMicroseconds = 0 } = plan;
  if (injectedFraction === undefined) return await openPlain(plan, options);
  const slower = { ...plan, stepMicroseconds: stepMicroseconds * (1 + injectedFraction) };
  const base = await openPlain(plan, options);
  try {
    return injectDelay(base, await openPlain(slower, options));
  } catch (error) {
    await base.close();
    throw error;
  }
}

async function openPlain(
  plan: GeneratorPlan,
  options: RandomModelOptions,
): Promise<ScenarioGenerator> {
  const runtime = await needsRuntime(() => import("@streamgauge/runtime"));
  const engine = {
    model: await modelOf(plan, runtime, options),
    // Prompts repeat here: each is to be run whole, as in the generators it is compared with. And all of
    // them have the same threads, in every run: a measurement while loading could choose differently.
    ...(plan.engine === "onnx" ? { prefixReuse: false, tuning: "rule" as const } : {}),
    // It refuses words that are none.
    ...(plan.dtype === undefined ? {} : { dtype: plan.dtype as Runtime.ModelDtype }),
    ...(plan.operatorProfile === undefined ? {} : { operatorProfile: plan.operatorProfile }),
  };
  if (plan.host !== "pooled") return await runtime.createInlineGenerator(engine);
  const gates = plan.gated === true ? await createGates() : undefined;
  const pool = await runtime.createRuntime({
    ...engine,
    // One stream at a time is measured unless the plan says otherwise: a second
    // worker would only wait.
    workers: plan.workers ?? 1,
    ...(plan.ring === undefined ? {} : { ring: plan.ring }),
    ...(gates === undefined ? {} : { stepGate: gates.find }),
  });
  const diagnostics = workerDiagnostics(pool);
  return { ...pool, diagnostics, ...(gates !== undefined && { gateOf: gates.gateOf }) };
}

/** A gate for each client that one was asked for. */
async function createGates(): Promise<{
  readonly gateOf: (clientId: string) => StepGate;
  readonly find: (clientId: string | undefined) => StepGate | undefined;
}> {
  const { StepGate } = await needsRuntime(() => import("@streamgauge/runtime/diagnostics"));
  const gates = new Map<string, StepGate>();
  return {
    gateOf(clientId) {
      const gate = gates.get(clientId) ?? new StepGate();
      gates.set(clientId, gate);
      return gate;
    },
    find: (clientId) => gates.get(clientId ?? ""),
  };
}

async function modelOf(
  { engine, model, modelFolder, stepMicroseconds = 0 }: GeneratorPlan,
  runtime: typeof Runtime,
  options: RandomModelOptions,
): Promise<string | Runtime.PacedModel> {
  if (engine === "paced") return runtime.pacedModel({ stepMicroseconds });
  if (engine !== "onnx") {
    throw new StreamgaugeError(
      "INVALID_OPTION",
      `The runtime has no engine "${engine}": choose "onnx" or "paced", or give the bench an ` +
        `\`open\` of your own that makes this generator.`,
    );
  }
  if (modelFolder !== undefined && existsSync(modelFolder)) return modelFolder;
  if (modelFolder === undefined && model === embeddedModelName) return runtime.embeddedModel;
  if (modelFolder === undefined && isModelSize(model)) return await randomModel(model, options);
  throw missingModel(modelFolder ?? model);
}
