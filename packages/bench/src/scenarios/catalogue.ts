import type { RingOptions } from "@streamgauge/runtime/ring";
import {
  inTurns,
  measurementsOn,
  paced,
  pequod,
  stageOf,
  withRing,
  type CellSize,
  type CellVariant,
} from "../plan/build-stage.js";
import { abort } from "./abort.js";
import { arrivals } from "./arrivals.js";
import { mainThread } from "./main-thread.js";
import { engine } from "./engine/engine-scenario.js";
import { slowConsumer } from "./slow-consumer.js";
import { stacks } from "./stacks/stacks-scenario.js";
import { tee } from "./tee.js";
import { profiledStage, profileFlags } from "./profiled.js";
import type { Scenario, Size } from "../plan/stage.js";
import { buffers, transports } from "./transport-scenarios.js";

type BySize<T> = Readonly<Record<Size, T>>;
type Cells = Readonly<Record<number, CellSize>>;

/** The shipped claims on the model that people see. Blocks are multiples of four: balanced orders. */
const modelCells: BySize<Cells> = {
  quick: {
    10: [40, 6, [8, 240]],
    50: [20, 10, [8, 96]],
    100: [24, 16, [8, 64]],
    // A block takes four seconds: few fit, where a verdict needs 59.
    1000: [2, 40, [1, 16]],
  },
  standard: { 10: [96, 8], 50: [24, 8], 100: [16, 8], 1000: [4, 16] },
  full: { 10: [120, 14], 50: [28, 14], 100: [20, 16], 1000: [4, 40] },
};

/** Runs of a second see another speed of the machine than those before and after them. */
const longInTurns = { fromTokens: 1000, sliceTokens: 100 };

const model: Scenario = {
  name: "model",
  description: "the embedded model in a worker thread, 10 to 1000 tokens: the claims",
  stages: (size) => [inTurns(stageOf("model", pequod("pooled"), modelCells[size]), longInTurns)],
};

/** Fewer in a full run: it has a value to show, and no claim to decide. */
const everyTokenCells: BySize<Cells> = {
  ...modelCells,
  full: { 10: [64, 8], 50: [16, 8], 100: [12, 10], 1000: [4, 40] },
};

/** The cells of `model` once more: what moderated wake-ups are worth. */
const everyToken: Scenario = {
  name: "every-token",
  description: "as model, with a ring that wakes its consumer for each token",
  stages: (size) => [
    inTurns(
      stageOf(
        "every-token",
        withRing(pequod("pooled"), { maxDelayMilliseconds: 0 }),
        everyTokenCells[size],
      ),
      longInTurns,
    ),
  ],
};

const modelInline: Scenario = {
  name: "model-inline",
  description: "the embedded model in the consuming thread",
  stages: (size) => {
    const cells: BySize<Cells> = {
      quick: { 100: [16, 8] },
      standard: { 100: [16, 8] },
      full: { 10: [40, 6], 100: [12, 10] },
    };
    return [stageOf("model-inline", pequod("inline"), cells[size])];
  },
};

const pacedPooled = pacedScenario(
  "paced",
  "known ids every 0, 100 and 2500 µs from a worker thread: the absolute cost",
  "pooled",
  {
    // A full run has processes enough, and its record keeps each sample: fewer blocks of each.
    0: { ...sizes([48, 2], [48, 2]), full: { 100: [24, 2] } },
    100: { ...sizes([48, 4], [48, 4]), full: { 100: [40, 6], 1000: [4, 4] } },
    2500: { ...sizes([8, 10], [8, 10]), full: { 100: [4, 6] } },
  },
);

const pacedInline = pacedScenario("paced-inline", "as paced, in the consuming thread", "inline", {
  0: sizes([48, 2], [48, 2]),
  100: sizes([32, 3], [32, 3]),
  2500: sizes([4, 5], [4, 5]),
});

/** @param cells by the microseconds of a step */
function pacedScenario(
  name: string,
  description: string,
  host: "pooled" | "inline",
  cells: Readonly<Record<number, BySize<Cells>>>,
): Scenario {
  const stages = (size: Size) =>
    Object.entries(cells).map(([step, bySize]) =>
      stageOf(name, paced(Number(step), host), bySize[size]),
    );
  return { name, description, stages };
}

const modelSizes: Scenario = {
  name: "model-sizes",
  description: "models of 3.7M, 15M, 42M and 135M parameters",
  stages: (size) => {
    const cells: Readonly<Record<string, BySize<Cells>>> = {
      pequod: { quick: { 50: [40, 10] }, standard: { 50: [16, 6] }, full: { 50: [16, 6] } },
      "15M": { quick: { 50: [16, 14] }, standard: { 50: [8, 12] }, full: { 50: [4, 12] } },
      "42M": { quick: { 50: [8, 20] }, standard: { 50: [4, 16] }, full: { 50: [4, 16] } },
      "135M": { quick: { 20: [8, 30] }, standard: { 20: [4, 20] }, full: { 20: [4, 20] } },
    };
    return Object.entries(cells).map(([name, bySize]) =>
      stageOf(
        "model-sizes",
        { ...pequod("pooled"), id: `${name}-sizes`, model: name },
        bySize[size],
      ),
    );
  },
};

const callbackNames = ["empty", "format", "accumulate", "json", "busy-50us", "async"] as const;

const callbacks: Scenario = {
  name: "callbacks",
  description: "callbacks that work on each token; their time is measured apart",
  stages: (size) =>
    (["pooled", "inline"] as const).map((host) =>
      stageOf(
        "callbacks",
        paced(100, host),
        { ...sizes([40, 4], [16, 2]), full: { 100: [8, 2] } satisfies Cells }[size],
        Object.fromEntries(
          callbackNames.map((workload) => [workload, { workload } satisfies CellVariant]),
        ),
      ),
    ),
};

const samplings: Readonly<Record<string, CellVariant>> = {
  greedy: { sampling: "greedy" },
  temperature: drawn("temperature 0.8", { temperature: 0.8 }),
  "top-k": drawn("temperature 0.8, top-k 50", { temperature: 0.8, topK: 50 }),
  "top-p": drawn("temperature 0.8, top-p 0.95", { temperature: 0.8, topP: 0.95 }),
};

function drawn(sampling: string, config: NonNullable<CellVariant["config"]>): CellVariant {
  return { sampling, config: { ignoreEos: true, ...config } };
}

const sampling: Scenario = {
  name: "sampling",
  description: "greedy, temperature, top-k and top-p",
  stages: (size) => {
    const cells: BySize<Cells> = {
      quick: { 100: [24, 12] },
      standard: { 100: [8, 6] },
      full: { 100: [4, 6] },
    };
    return [stageOf("sampling", pequod("pooled"), cells[size], samplings)];
  },
};

const concurrency: Scenario = {
  name: "concurrency",
  description: "1 to 16 generations at once",
  stages: (size) => {
    const variants = Object.fromEntries(
      [1, 4, 16].map((count) => [`x${count}`, { concurrency: count } satisfies CellVariant]),
    );
    const cells = { quick: [20, 10], standard: [8, 8], full: [4, 8] } as const;
    return [
      stageOf("concurrency", paced(100, "pooled"), { 100: cells[size] }, variants),
      stageOf("concurrency", pequod("pooled"), { 50: cells[size] }, variants),
    ];
  },
};

/** What wakes the consumer, and how often: all else is the same. Who is woken seldom sleeps in any way. */
const wakings: readonly RingOptions[] = [
  { maxDelayMilliseconds: 2 },
  { maxDelayMilliseconds: 8 },
  { maxDelayMilliseconds: 16 },
  { wait: "waitAsync", maxDelayMilliseconds: 0 },
  { wait: "message", maxDelayMilliseconds: 0 },
  { wait: "block", maxDelayMilliseconds: 0 },
  // It always wakes for each token.
  { wait: "block", spinMicroseconds: 1000 },
  { publishBatch: 8, maxDelayMilliseconds: 0 },
  { publishBatch: 64, maxDelayMilliseconds: 0 },
];

const waking: Scenario = {
  name: "waking",
  description:
    "what waking the consumer costs a model: ways to sleep, delays and batches of its ring",
  stages: (size) => {
    const cells = { quick: [40, 20], standard: [12, 8], full: [8, 8] } as const;
    return wakings.map((ring) =>
      stageOf("waking", withRing(pequod("pooled"), ring), { 100: cells[size] }),
    );
  },
};

const memory: Scenario = {
  name: "memory",
  description: "bytes and objects per token, and the peak of the memory, for each mode",
  stages: (size) =>
    (["pooled", "inline"] as const)
      .filter((host) => host === "pooled" || size === "full")
      .map((host) =>
        profiledStage(measurementsOn(pequod(host), []), ["allocations"], size === "full" ? 12 : 6),
      ),
};

const profiles: Scenario = {
  name: "profiles",
  description: "every profile of the embedded model, and the ledger of the paced engine",
  stages: () => [
    profiledStage(
      measurementsOn(pequod("pooled"), []),
      profileFlags.map(({ kind }) => kind),
    ),
    profiledStage(measurementsOn(paced(100, "pooled"), []), ["ledger"]),
  ],
};

/** Everything that ships. Order: what people look for first. */
export const catalogue: readonly Scenario[] = [
  model,
  everyToken,
  modelInline,
  pacedPooled,
  pacedInline,
  mainThread,
  transports,
  buffers,
  waking,
  modelSizes,
  callbacks,
  sampling,
  concurrency,
  arrivals,
  abort,
  slowConsumer,
  tee,
  stacks,
  memory,
  profiles,
  engine,
];

/** Cells of 100 tokens; as many blocks in a full run as in a standard one. */
function sizes(quick: CellSize, standard: CellSize): BySize<Cells> {
  return { quick: { 100: quick }, standard: { 100: standard }, full: { 100: standard } };
}
