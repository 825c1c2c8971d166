import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, StreamgaugeError } from "@streamgauge/core";
import { z } from "zod";
import { gateEngines } from "./gate-work.js";
import { summarizeTrial, type TrialOutcome, type TrialRow } from "./gate-trial.js";
import type { GateOutcome } from "./run-gate.js";
import { gateVerdicts } from "./verdict.js";

const schema = "streamgauge/gate-trial";

/** Digits of a log-ratio that are kept: noise begins earlier, and files are committed. */
const ratioDigits = 4;

/** The gates of a trial, for `--json`. */
export function trialJson(outcomes: readonly GateOutcome[]): string {
  const rounded = outcomes.map((outcome) => ({
    ...outcome,
    metrics: outcome.metrics.map((metric) => ({
      ...metric,
      logRatios: metric.logRatios.map((pair) =>
        pair.map((ratio) => Number(ratio.toPrecision(ratioDigits))),
      ),
    })),
  }));
  return `${JSON.stringify({ schema, version: 1, rows: summarizeTrial(outcomes), outcomes: rounded })}\n`;
}

/** Trials of the same work, added up. */
export interface GateTrials {
  /** Their files, in order. */
  readonly files: readonly string[];
  readonly threshold: number;
  readonly work: Pick<
    GateOutcome["work"],
    "engine" | "stepMicroseconds" | "tokens" | "generations"
  > & { readonly pairs: number };
  readonly rows: readonly TrialRow[];
}

/** What is read of a gate: parts of what the gate wrote. */
type FileOutcome = TrialOutcome &
  Pick<GateOutcome, "seed" | "threshold" | "pairs"> & {
    readonly work: Omit<GateTrials["work"], "pairs">;
  };

const verdict = z.enum(gateVerdicts);

const fileSchema: z.ZodType<{ readonly outcomes: readonly FileOutcome[] }> = z.object({
  schema: z.literal(schema),
  version: z.literal(1),
  outcomes: z
    .array(
      z.object({
        slowdown: z.number().nonnegative(),
        verdict,
        seed: z.number(),
        seconds: z.number().positive(),
        threshold: z.number().positive(),
        pairs: z.int().positive(),
        work: z.object({
          engine: z.enum(gateEngines),
          stepMicroseconds: z.number().nullable(),
          tokens: z.int().positive(),
          generations: z.int().positive(),
        }),
        metrics: z.array(z.object({ metric: z.string(), verdict })),
      }),
    )
    .min(1),
});

/**
 * Reads the trials of the newest folder `<date>-gate-self-test` of a folder of
 * results, every JSON file of it, and adds them up; undefined where there is none.
 *
 * @throws StreamgaugeError `INVALID_RECORD` naming the file, where it is no trial, is
 *   of other work than the first, or has a gate that another file has
 */
export async function readTrials(results: string): Promise<GateTrials | undefined> {
  const folders = (await readdir(results).catch(() => [])).filter((name) =>
    /^\d{4}-\d\d-\d\d.*-gate-self-test$/.test(name),
  );
  const newest = folders.toSorted().at(-1);
  if (newest === undefined) return undefined;
  const folder = join(results, newest);
  const files = (await readdir(folder)).filter((name) => name.endsWith(".json")).toSorted();
  const outcomes: FileOutcome[] = [];
  const fileOf = new Map<string, string>();
  for (const file of files) {
    for (const outcome of await readTrial(join(folder, file))) {
      const refuse = (reason: string): never => {
        throw new StreamgaugeError("INVALID_RECORD", `${join(folder, file)} ${reason}`);
      };
      const key = JSON.stringify(outcome);
      const other = fileOf.get(key);
      if (other !== undefined) refuse(`has a gate that ${other} has too: leave one of them out.`);
      if (conditions(outcome) !== conditions(outcomes[0] ?? outcome)) {
        refuse(`is of other work than ${files[0]}: put it into a folder of its own.`);
      }
      fileOf.set(key, file);
      outcomes.push(outcome);
    }
  }
  const [first] = outcomes;
  if (first === undefined) return undefined;
  const { threshold, work, pairs } = first;
  return {
    files: files.map((file) => `${newest}/${file}`),
    threshold,
    work: { ...work, pairs },
    rows: summarizeTrial(outcomes),
  };
}

async function readTrial(path: string): Promise<readonly FileOutcome[]> {
  try {
    return fileSchema.parse(JSON.parse(await readFile(path, "utf8"))).outcomes;
  } catch (cause) {
    const [issue] = cause instanceof z.ZodError ? cause.issues : [];
    const reason =
      issue === undefined ? messageOf(cause) : `${issue.path.join(".")}: ${issue.message}`;
    throw new StreamgaugeError(
      "INVALID_RECORD",
      `${path} is not what \`gate --self-test --json\` writes: ${reason}`,
      { cause },
    );
  }
}

/** What gates must have in common to be counted together. */
function conditions({ threshold, pairs, work }: FileOutcome): string {
  return JSON.stringify({ threshold, pairs, work });
}
