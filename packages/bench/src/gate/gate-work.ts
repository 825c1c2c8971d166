import type { GenerationConfig, Prompt } from "@streamgauge/core";
import { embeddedModelName, promptFor } from "../plan/prompts.js";

/** The ways of consuming tokens that a gate compares between two versions. */
export const gateModes = ["generate", "generateStream", "generateStreamAsync"] as const;

export type GateMode = (typeof gateModes)[number];

/** The two versions that a gate compares. */
export const gateSides = ["base", "head"] as const;

export type GateSide = (typeof gateSides)[number];

/** What makes the tokens: the paced engine, or the embedded model. */
export const gateEngines = ["paced", "model"] as const;

export type GateEngine = (typeof gateEngines)[number];

/** What one process of either version is to do, the same in both. */
export interface GateWork {
  /** `own`: a generator of the version's, see {@link GateWork.own}. */
  readonly engine: GateEngine | "own";
  /** Where it is in each version, from its root, with slashes; the name of its scenario, unless it is alone. */
  readonly own?: { readonly module: string; readonly scenario?: string };
  /** Instead of greedy decoding past the end of the text. */
  readonly config?: Omit<GenerationConfig, "maxTokens" | "signal">;
  /** Time of a step of the paced engine; null for a model. */
  readonly stepMicroseconds: number | null;
  readonly prompt: Prompt;
  readonly tokens: number;
  /** Generations of a measured run, one after the other; their median counts. */
  readonly generations: number;
  readonly seed: number;
}

/** How much of it: pairs of fresh processes, and the blocks of each. */
export interface GateSize {
  readonly pairs: number;
  /** Even, so that either version comes first as often. */
  readonly blocks: number;
}

/**
 * Sizes for two idle cores. Holm's first level is 1 % for five metrics, and eight
 * pairs are what a signed-rank test of process means needs for it (2⁻⁸ < 1 % < 2⁻⁶).
 */
export const defaultSizes: Readonly<Record<GateWork["engine"], GateSize>> = {
  own: { pairs: 8, blocks: 6 },
  paced: { pairs: 8, blocks: 6 },
  model: { pairs: 8, blocks: 16 },
};

/** The paced engine's step, unless another is asked for: a model as small as the embedded one is slower. */
export const defaultStepMicroseconds = 100;

/** The work of a gate on an engine. */
export function gateWork(
  engine: GateEngine,
  { seed, stepMicroseconds }: { readonly seed: number; readonly stepMicroseconds: number },
): GateWork {
  const model = engine === "model" ? embeddedModelName : "paced";
  const prompt = promptFor({
    id: engine,
    engine: engine === "model" ? "onnx" : "paced",
    model,
    host: "pooled",
  });
  return engine === "paced"
    ? { engine, stepMicroseconds, prompt, tokens: 32, generations: 8, seed }
    : { engine, stepMicroseconds: null, prompt, tokens: 40, generations: 3, seed };
}

/** The work of a gate on the versions' own generators, which say themselves what they continue. */
export function ownWork(
  own: NonNullable<GateWork["own"]>,
  { seed, tokens }: { readonly seed: number; readonly tokens: number },
): GateWork {
  return { engine: "own", own, stepMicroseconds: null, prompt: "", tokens, generations: 3, seed };
}

/** What the tokens of a gate came from, in words. */
export function describeWork({ engine, own, stepMicroseconds }: GateWork): string {
  if (engine === "own") {
    const { module = "", scenario } = own ?? {};
    return scenario === undefined ? module : `${scenario} of ${module}`;
  }
  return stepMicroseconds === null
    ? "the embedded model"
    : `the paced engine at ${stepMicroseconds} µs per token`;
}

/** A mode's metric. The first is of every mode; the second of those that deliver a first token. */
export interface GateMetric {
  readonly name: string;
  readonly mode: GateMode;
  readonly kind: "time per token" | "time to first token";
}

/**
 * What is judged. Throughput is 1 / time per token: it is shown, and to judge it
 * too would be the same test twice.
 */
export const gateMetrics: readonly GateMetric[] = gateModes.flatMap((mode) =>
  (mode === "generate" ? ["time per token"] : ["time per token", "time to first token"]).map(
    (kind) => ({ name: `${mode}, ${kind}`, mode, kind: kind as GateMetric["kind"] }),
  ),
);
