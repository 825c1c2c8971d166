import { StreamgaugeError, messageOf } from "@streamgauge/core";
import { BatchDecoder } from "./batch-decoder.js";
import type { FullContext } from "./full-context.js";
import type { GraphPlan } from "./graph-plan.js";
import type { GraphPorts } from "./graph-ports.js";
import type { ModelSettings } from "./model-settings.js";
import { differ, runPieces } from "./trial-run.js";
import type { WayToRun } from "./way-to-run.js";

/** What {@link tryStates} tries, of a session that is open and runs nothing else. */
export interface StateTrial {
  readonly way: WayToRun;
  readonly ports: GraphPorts;
  readonly plan: GraphPlan;
  readonly fullContext: FullContext;
  readonly settings: Pick<ModelSettings, "vocabularySize" | "contextLength">;
  /** The name the user knows the graph by. */
  readonly graphFile: string;
}

/** Parts of the logits' range by which a run in steps may differ from one of all ids. */
const tolerances = { exact: 1e-2, rounded: 5e-2, byRange: 1e-1 };

/** Ids of the longest trial: more than a convolution sees. */
const mostIds = 7;

/**
 * Tries whether a graph with states of fixed size goes on from them: one id at a time, which it
 * has to; and several, which many were not written for and begin anew with.
 *
 * @returns the plan, without prompts in pieces, and without going on from other sequences, where
 *   several ids begin anew; the plan as it is for a graph without states
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` where one id does not go on either
 */
export async function tryStates(trial: StateTrial): Promise<GraphPlan> {
  const { way, ports, plan, fullContext, settings } = trial;
  if (ports.states.length === 0) return plan;
  const decoder = new BatchDecoder(way, ports, plan);
  const length = Math.min(mostIds, settings.contextLength - 1);
  if (length < 2) return plan;
  const ids = Array.from({ length }, (_, at) => at % settings.vocabularySize);
  const follows = async (...lengths: readonly number[]): Promise<boolean> => {
    const pieces: number[][] = [];
    let end = 0;
    for (const count of lengths) pieces.push(ids.slice(end, (end += count)));
    const filled = pieces.filter((piece) => piece.length > 0);
    const logits = await runPieces(decoder, filled);
    decoder.forget();
    const expected = await fullContext.logits(ids.slice(0, end));
    return !differ(logits.at(-1) ?? expected, expected, tolerances[plan.rounding]);
  };

  let isRight: boolean;
  try {
    isRight = (await follows(2, 1, 1, 1)) && (await follows(5, 1, 1));
  } catch (cause) {
    throw refuseStates(trial, `it failed with them: ${messageOf(cause)}`, cause);
  }
  // Where a run's range decides how each number is rounded, other logits say little.
  if (!isRight && plan.rounding !== "byRange") {
    const found =
      "behind a prompt it computed other logits for an id than together with the prompt";
    throw refuseStates(trial, found);
  }
  if (!plan.pieces.value) return plan;
  let obstacle = "the context is too short to try more than one id behind the layers' states";
  if (length >= mostIds) {
    try {
      if (await follows(2, 3, 2)) return plan;
      obstacle = "the graph computed other logits for several ids behind its layers' states";
    } catch (error) {
      obstacle = `the graph failed with several ids behind its layers' states: ${messageOf(error)}`;
    }
  }
  const { prefixReuse } = plan;
  return {
    ...plan,
    pieces: { value: false, because: obstacle },
    prefixReuse: prefixReuse.value === "off" ? prefixReuse : { value: "off", because: obstacle },
  };
}

function refuseStates(
  { ports, graphFile }: StateTrial,
  found: string,
  cause?: unknown,
): StreamgaugeError {
  const [first] = ports.states;
  return new StreamgaugeError(
    "MODEL_UNSUPPORTED",
    `${graphFile} does not go on from its layers' states, as ${first?.past} and ${first?.present}: ` +
      `${found}. Use an export whose present states are what the next run is fed.`,
    { cause },
  );
}
