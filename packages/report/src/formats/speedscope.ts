import {
  InvalidRecordError,
  profilesOfKind,
  type CallTree,
  type CallTreeNode,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { modeNames } from "@streamgauge/bench/tables";
import { json } from "./exported-file.js";

interface Frame {
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
}

/**
 * The calls of the CPU profiles as a file for speedscope: a profile for each thread,
 * whose samples are the calls of all observed generations together, weighted by
 * their µs per token. The order of the samples is no order in time.
 *
 * @throws InvalidRecordError where the record has no calls
 */
export function renderSpeedscope(record: ResultRecord): string {
  const frames = new FrameTable();
  const profiles = profilesOfKind(record, "cpuProfile").flatMap(
    ({ model, host, treatment, tokens, findings }) =>
      (findings.callTrees ?? [])
        .filter(({ nodes }) => nodes.length > 0)
        .map((tree) => ({
          type: "sampled",
          name: `${tree.thread}: ${model}, ${host}, ${modeNames[treatment]}, ${tokens} tokens; µs per token`,
          unit: "microseconds",
          startValue: 0,
          ...samplesOf(tree, frames),
        })),
  );
  if (profiles.length === 0) {
    throw new InvalidRecordError(
      "The record has no calls of a CPU profile: run the bench with --cpu-profile or " +
        "`--scenario profiles`; records from before 25 November 2026 have summaries only.",
    );
  }
  return json({
    $schema: "https://www.speedscope.app/file-format-schema.json",
    exporter: "streamgauge",
    name: `streamgauge ${record.startedAt}`,
    activeProfileIndex: 0,
    shared: { frames: frames.frames },
    profiles,
  });
}

function samplesOf({ nodes }: CallTree, table: FrameTable) {
  const stacks: number[][] = [];
  for (const node of nodes) {
    stacks.push([...(stacks[node.caller] ?? []), table.indexOf(node)]);
  }
  const seen = nodes
    .map(({ selfMicrosecondsPerToken: weight }, index) => ({ stack: stacks[index], weight }))
    .filter(({ weight }) => weight > 0);
  return {
    endValue: seen.reduce((sum, { weight }) => sum + weight, 0),
    samples: seen.map(({ stack }) => stack),
    weights: seen.map(({ weight }) => weight),
  };
}

/** The functions of a file, each once. */
class FrameTable {
  readonly frames: Frame[] = [];
  readonly #indices = new Map<string, number>();

  indexOf({ name, file, line }: CallTreeNode): number {
    const frame: Frame = file === "" ? { name } : { name, file, line };
    const key = JSON.stringify(frame);
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    this.#indices.set(key, this.frames.length);
    return this.frames.push(frame) - 1;
  }
}
