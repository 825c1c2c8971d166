import { invalidOption } from "@streamgauge/core";
import type { ObservedTreatment, ProfileKind } from "../profile/instrument.js";
import { profileMeasurement } from "../profile/profile-measurement.js";
import { secondsPerToken } from "../plan/build-stage.js";
import type { MeasurementPlan, Stage } from "../plan/stage.js";
import { mainDiagnostics } from "./thread-diagnostics.js";

/** An option of the command line that asks for a kind of profile. */
export interface ProfileFlag {
  readonly kind: ProfileKind;
  readonly flag: string;
  /** As commander calls its value. */
  readonly name: string;
  readonly description: string;
}

/** One for each kind. */
export const profileFlags: readonly ProfileFlag[] = [
  {
    kind: "cpuProfile",
    flag: "--cpu-profile",
    name: "cpuProfile",
    description: "profile the CPU: a .cpuprofile for each thread, hot functions, whose code ran",
  },
  {
    kind: "allocations",
    flag: "--heap-profile",
    name: "heapProfile",
    description: "profile allocations: a .heapprofile, bytes and objects per token",
  },
  {
    kind: "timeline",
    flag: "--timeline",
    name: "timeline",
    description: "note garbage collections and late event loops, beside the slowest gaps",
  },
  {
    kind: "asyncActivity",
    flag: "--async-profile",
    name: "asyncProfile",
    description: "count promises per token, and the time in their reactions",
  },
  {
    kind: "operators",
    flag: "--operator-profile",
    name: "operatorProfile",
    description: "keep onnxruntime's own profile: time by operator",
  },
  {
    kind: "ledger",
    flag: "--ledger",
    name: "ledger",
    description: "time each token from stage to stage: made, published, woken, delivered, done",
  },
];

/** The kinds of profiles that can be asked for. */
export const profileKinds: readonly string[] = profileFlags.map(({ kind }) => kind);

const streams: readonly ObservedTreatment[] = ["stream", "streamAsync"];

const treatmentsOf: Readonly<Record<ProfileKind, readonly ObservedTreatment[]>> = {
  cpuProfile: streams,
  allocations: ["generate", ...streams],
  timeline: streams,
  asyncActivity: streams,
  // The operators do not know how their tokens are delivered.
  operators: ["stream"],
  ledger: streams,
};

/** Blocks of each profile: orders are balanced in multiples of six. */
const defaultBlocks = 12;

/** The plans of one kind of profile on one generator, or none where it cannot be had. */
export function profilesOf(
  kind: ProfileKind,
  stage: Pick<Stage, "generator" | "cells" | "open">,
  blocks: number = defaultBlocks,
): readonly MeasurementPlan[] {
  const { generator } = stage;
  const isOwn = stage.open !== undefined;
  const isPossible =
    kind === "ledger"
      ? generator.host === "pooled" && !isOwn
      : kind === "operators"
        ? generator.engine === "onnx" && (generator.workers ?? 1) === 1 && !isOwn
        : true;
  if (!isPossible) return [];
  return treatmentsOf[kind].map((treatment) =>
    profileMeasurement({
      kind,
      treatment,
      tokens: tokensFor(kind, stage),
      blocks,
      mainDiagnostics,
      expectedTokensPerSecond: 1 / secondsPerToken(generator),
    }),
  );
}

/**
 * Enough for a third of a second where tokens are fast; for operators few, each
 * of which takes tens of events.
 */
function tokensFor(
  kind: ProfileKind,
  { generator, cells, open }: Parameters<typeof profilesOf>[1],
) {
  if (open !== undefined || generator.modelFolder !== undefined) {
    return cells.reduce((most, { tokens }) => Math.max(most, Math.min(tokens, 100)), 1);
  }
  if (kind === "operators") return 64;
  if (generator.engine === "paced") {
    return Math.round(Math.min(20_000, Math.max(100, 0.3 / secondsPerToken(generator))));
  }
  return kind === "allocations" ? 100 : 200;
}

/**
 * Adds the profiles that are asked for to the stages that they are about: the
 * model's, where it is measured, and otherwise all.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for an unknown kind, and for one that
 *   nothing that is measured can have
 */
export function withProfiles(stages: readonly Stage[], kinds: readonly string[]): readonly Stage[] {
  if (kinds.length === 0) return stages;
  const models = stages.filter(({ cells }) => cells.some(({ scenario }) => scenario === "model"));
  const chosen = models.length > 0 ? models : stages;
  for (const kind of kinds) {
    if (!isProfileKind(kind)) {
      throw invalidOption(
        `There is no profile of kind "${kind}". Kinds: ${profileKinds.join(", ")}.`,
      );
    }
    if (chosen.every((stage) => profilesOf(kind, stage).length === 0)) {
      const names = chosen.map(({ generator }) => generator.id).join(", ");
      throw invalidOption(
        `Nothing that is measured can have the profile "${kind}" (${names}): a ledger needs a ` +
          `pooled generator of the runtime, and an operator profile one with onnxruntime.`,
      );
    }
  }
  return stages.map((stage) => {
    if (!chosen.includes(stage)) return stage;
    const added = kinds.filter(isProfileKind).flatMap((kind) => profilesOf(kind, stage));
    const known = stage.measurements.map(({ id }) => id);
    return {
      ...stage,
      measurements: [...stage.measurements, ...added.filter(({ id }) => !known.includes(id))],
    };
  });
}

/** A stage with profiles of the kinds that its generator can have. */
export function profiledStage(stage: Stage, kinds: readonly ProfileKind[], blocks?: number): Stage {
  return {
    ...stage,
    measurements: [
      ...stage.measurements,
      ...kinds.flatMap((kind) => profilesOf(kind, stage, blocks)),
    ],
  };
}

function isProfileKind(kind: string): kind is ProfileKind {
  return profileKinds.includes(kind);
}
