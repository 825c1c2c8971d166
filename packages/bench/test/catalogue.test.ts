import { describe, expect, it } from "vitest";
import { defineScenario, findPreset, presetNames } from "@streamgauge/bench";
import { expectedSeconds } from "../src/run/expected-time.js";
import { planStages, select } from "../src/run/plan-stages.js";
import { looksOf } from "../src/run/presets.js";
import { catalogue } from "../src/scenarios/catalogue.js";
import { rings } from "../src/scenarios/transport-scenarios.js";
import { withProfiles } from "../src/scenarios/profiled.js";
import type { Size, Stage } from "../src/plan/stage.js";
import { measurementId } from "../src/run/execution.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";

const sizes: readonly Size[] = ["quick", "standard", "full"];
const names = catalogue.map(({ name }) => name);

describe("the catalogue", () => {
  it("has what the method asks for", () => {
    expect(names).toEqual(
      expect.arrayContaining([
        "model",
        "every-token",
        "model-inline",
        "paced",
        "paced-inline",
        "main-thread",
        "transports",
        "buffers",
        "waking",
        "model-sizes",
        "callbacks",
        "sampling",
        "concurrency",
        "arrivals",
        "abort",
        "slow-consumer",
        "tee",
        "stacks",
        "memory",
        "profiles",
        "engine",
      ]),
    );
  });

  it.each(sizes)("gives everything a name of its own (%s)", (size) => {
    const stages = select({ ...findPreset("full"), size }, { scenarios: names });
    const cells = stages.flatMap((stage) => stage.cells.map(({ id }) => id));
    const measurements = stages.flatMap((stage) =>
      stage.measurements.map((plan) => measurementId(stage, plan)),
    );
    const generators = stages.map(({ generator }) => generator.id);
    for (const ids of [cells, measurements, generators]) {
      expect(ids.filter((id, index) => ids.indexOf(id) < index)).toEqual([]);
    }
    expect(cells.filter((id) => !/^[\w.-]+$/.test(id))).toEqual([]);
  });

  it.each(sizes)("has balanced orders in each cell (%s)", (size) => {
    const cells = catalogue.flatMap((scenario) => scenario.stages(size)).flatMap((s) => s.cells);
    const unbalanced = cells.filter(({ blocks }) => blocks % 4 !== 0).map(({ id }) => id);
    // More blocks of these would take minutes; the processes' orders differ.
    const long = ["pequod-pooled-1000", "pequod-pooled-delay-0ms-1000"];
    expect(unbalanced).toEqual(size === "quick" ? long : []);
  });

  it.each(sizes)("has the runs of the embedded model's longest cell take turns (%s)", (size) => {
    const slices = (stages: readonly Stage[]) =>
      stages.flatMap(({ cells }) => cells.map(({ tokens, sliceTokens }) => [tokens, sliceTokens]));
    const preset = { ...findPreset("full"), size };
    expect(slices(select(preset, { scenarios: ["model"] }))).toEqual([
      [10, undefined],
      [50, undefined],
      [100, undefined],
      [1000, 100],
    ]);
    // Another may make one generation at a time only.
    const model = { name: "my-model", folder: "/models/my model" };
    const chosen = slices(select(preset, { model, scenarios: ["model"] }));
    expect(chosen.map(([, sliceTokens]) => sliceTokens)).toEqual(Array(4).fill(undefined));
  });

  it("has a ring for every pair of capacity and batch in which a batch fits", () => {
    const pairs = [1, 4, 16, 64, 256, 1024, 4096].flatMap((capacity) =>
      [1, 4, 16, 64].filter((batch) => batch <= capacity).map((batch) => [capacity, batch]),
    );
    const moderated = rings.filter(({ ring }) => ring.maxDelayMilliseconds !== 0);
    expect(moderated.map(({ ring }) => [ring.capacity, ring.publishBatch])).toEqual(pairs);
    expect(rings).toHaveLength(pairs.length + 6);
  });
});

describe("select", () => {
  const quick = findPreset("quick");

  it("makes each generator once, whatever is measured on it", () => {
    const stages = select(quick, { scenarios: ["model", "main-thread"] });
    expect(stages.map(({ generator }) => generator.id)).toEqual(["pequod-pooled", "pequod-inline"]);
    expect(stages[0]?.cells).toHaveLength(4);
    expect(stages[0]?.measurements.length).toBeGreaterThan(0);
  });

  it("puts another model in the place of the embedded one, and only there", () => {
    const model = { name: "my-model", folder: "/models/my model" };
    const stages = select(quick, { model, scenarios: ["model", "paced"] });
    expect(stages.map(({ generator }) => [generator.id, generator.model])).toEqual([
      ["my-model-pooled", "my-model"],
      ["paced-0us-pooled", "paced 0 µs"],
      ["paced-100us-pooled", "paced 100 µs"],
      ["paced-2500us-pooled", "paced 2500 µs"],
    ]);
    expect(stages[0]?.generator.modelFolder).toBe("/models/my model");
    expect(stages[0]?.cells[0]).toMatchObject({
      id: "my-model-pooled-10",
      generator: "my-model-pooled",
      model: "my-model",
    });
  });

  it("names a hub's model as it was given, and with its dtype, in ids as files may be called", () => {
    const model = { name: "owner/name@v1", folder: "/cache", dtype: "q4", commit: "1".repeat(40) };
    const [stage] = select(quick, { model, scenarios: ["model"] });
    expect(stage?.generator).toMatchObject({
      id: "owner-name-v1-q4-pooled",
      model: "owner/name@v1 q4",
      modelFolder: "/cache",
      dtype: "q4",
    });
    expect(stage?.cells[0]).toMatchObject({
      id: "owner-name-v1-q4-pooled-10",
      model: "owner/name@v1 q4",
    });
  });

  it("fits a time budget with fewer blocks, and leaves what fits alone", () => {
    const preset = findPreset("one-process");
    const seconds = (minutes: number | undefined) =>
      select(preset, { timeBudgetMinutes: minutes })
        .flatMap(({ cells }) => cells)
        .reduce((sum, cell) => sum + cell.timeBudgetSeconds, 0);
    expect(seconds(1)).toBeLessThan(0.95 * seconds(undefined));
    expect(seconds(60)).toBe(seconds(undefined));
    const cells = select(preset, { timeBudgetMinutes: 1 }).flatMap((stage) => stage.cells);
    expect(cells.every(({ blocks }) => blocks >= 4)).toBe(true);
  });

  const planned = (process: number, timeBudgetMinutes?: number) =>
    planStages({
      preset: "full",
      timeBudgetMinutes,
      modules: [],
      process,
      leaveOut: [],
    });

  it("has the eight rows, and nothing else, in the 8 processes of a quick run", async () => {
    const cellsOf = async (process: number) =>
      (await planStages({ preset: "quick", modules: [], process, leaveOut: [] })).flatMap(
        ({ cells, measurements }) => [...cells, ...measurements].map(({ id }) => id),
      );
    const rows = [10, 50, 100, 1000].map((tokens) => `pequod-pooled-${tokens}`);
    expect(await cellsOf(0)).toEqual(rows);
    expect(await cellsOf(7)).toEqual(rows);
  });

  it("takes blocks that a run chose, with as much more time", async () => {
    const order = { preset: "quick", modules: [], process: 3, leaveOut: [] };
    const [asPlanned] = await planStages(order);
    const [stage] = await planStages({ ...order, allotted: { "pequod-pooled-100": 48 } });
    const blocks = stage?.cells.map((cell) => cell.blocks);
    expect(blocks).toEqual([40, 20, 48, 2]);
    const budgets = [asPlanned, stage].map((at) => at?.cells[2]?.timeBudgetSeconds ?? 0);
    expect(budgets[1]).toBeCloseTo(2 * (budgets[0] ?? 0), 9);
  });

  it("measures a scenario without claims once in a quick run", async () => {
    const order = { preset: "quick", scenarios: ["callbacks"], modules: [], leaveOut: [] };
    expect(await planStages({ ...order, process: 0 })).not.toEqual([]);
    expect(await planStages({ ...order, process: 1 })).toEqual([]);
  });

  it("leaves the engine out of a full run, and measures it where it is named", async () => {
    const scenarios = (await planned(0)).flatMap(({ measurements }) =>
      measurements.map(({ id }) => id),
    );
    expect(scenarios.filter((id) => id.startsWith("decode-"))).toEqual([]);
    expect(findPreset("full").scenarios.map(({ name }) => name)).toEqual(
      names.filter((name) => name !== "engine"),
    );
  });

  it("measures what no claim is about in the first six or eight processes of a full run", async () => {
    const scenariosOf = async (process: number) => [
      ...new Set((await planned(process)).flatMap(({ cells }) => cells.map((c) => c.scenario))),
    ];
    const asked = ["model", "model-inline", "paced", "paced-inline"];
    expect(await scenariosOf(5)).toEqual(expect.arrayContaining([...asked, "callbacks", "waking"]));
    expect((await scenariosOf(6)).toSorted()).toEqual(["every-token", ...asked]);
    expect((await scenariosOf(8)).toSorted()).toEqual(["model", "paced"]);
    expect((await scenariosOf(19)).toSorted()).toEqual(["model", "paced"]);
  });

  it("counts all processes and measurements into a time budget", async () => {
    const minutes = async (budget?: number) => {
      const all = await Promise.all(
        Array.from({ length: 10 }, (_, process) => planned(process, budget)),
      );
      return all.reduce((sum, stages) => sum + expectedSeconds(stages), 0) / 60;
    };
    const whole = await minutes();
    // Cells of four blocks cannot have fewer.
    expect(await minutes(0.9 * whole)).toBeLessThan(0.97 * whole);
    expect(await minutes(2 * whole)).toBe(whole);
    const cells = (await planned(0, 1)).flatMap((stage) => stage.cells);
    expect(cells.every(({ blocks }) => blocks === 4)).toBe(true);
  });

  it.each([
    [{ timeBudgetMinutes: 0 }, /time budget is 0 minutes/],
    [{ scenarios: ["paced"], tokens: [7] }, /has 7 tokens. There are cells of 100/],
    [{ scenarios: ["main-thread"], tokens: [7] }, /7 tokens/],
    [{ scenarios: ["transports"], tokens: [7] }, /7 tokens. Leave tokens out/],
    [{ scenarios: ["profiles"], blocks: 2 }, /leave blocks out/],
    [{ scenarios: ["paced"], model: { name: "15M" } }, /model is "15M".*leave model out/],
  ])("refuses %j", (selection, message) => {
    expect(() => select(quick, selection)).toThrow(message);
  });
});

describe("withProfiles", () => {
  const stages = (...scenarios: string[]) => select(quick, { scenarios });
  const quick = findPreset("quick");
  const ids = (chosen: ReturnType<typeof withProfiles>) =>
    chosen.flatMap((stage) => stage.measurements.map((plan) => measurementId(stage, plan)));

  it("is about the model where it is measured", () => {
    const added = ids(withProfiles(stages("model", "paced"), ["cpuProfile", "operators"]));
    expect(added).toEqual([
      "pequod-pooled cpuProfile-stream-200",
      "pequod-pooled cpuProfile-streamAsync-200",
      "pequod-pooled operators-stream-64",
    ]);
  });

  it("is about everything else otherwise, where it can be had", () => {
    const added = ids(withProfiles(stages("paced-inline", "paced"), ["ledger"]));
    expect(added).toHaveLength(2 * stages("paced").length);
    expect(added[0]).toMatch(/^paced-0us-pooled ledger-stream-/);
  });

  it("asks for nothing twice", () => {
    const added = ids(withProfiles(stages("model", "memory"), ["allocations"]));
    expect(added).toHaveLength(3);
  });

  it.each([
    ["heap", /no profile of kind "heap".*cpuProfile, allocations/],
    ["operators", /Nothing that is measured can have the profile "operators" \(paced-0us-inline/],
  ])("refuses %s", (kind, message) => {
    expect(() => withProfiles(stages("paced-inline"), [kind])).toThrow(message);
  });
});

describe("the presets", () => {
  it("look once in one process, or spend 5 % over planned looks", () => {
    expect(presetNames).toEqual(["quick", "standard", "full", "one-process"]);
    expect(looksOf(findPreset("quick"))).toEqual([{ processes: 8, tail: 0.05 }]);
    expect(looksOf(findPreset("one-process"))).toEqual([{ processes: 1, tail: 0.05 }]);
    const looks = looksOf(findPreset("standard"));
    expect(looks.map(({ processes }) => processes)).toEqual([8, 12, 16]);
    const tails = looks.map(({ tail }) => tail);
    expect(tails).toEqual(tails.toSorted((first, second) => first - second));
    expect(tails.at(-1)).toBeLessThan(0.05);
  });
});

describe("defineScenario", () => {
  const clock = new ManualClock();
  const open = () => createFakeGenerator({ clock, tokenNanoseconds: () => 1000 });

  it("makes a cell for each token count", () => {
    const scenario = defineScenario({ name: "mine", open, prompt: [1], tokens: [3, 7] });
    const [stage] = scenario.stages("quick");
    expect(stage?.cells.map(({ id, model, host }) => ({ id, model, host }))).toEqual([
      { id: "mine-3", model: "mine", host: "own" },
      { id: "mine-7", model: "mine", host: "own" },
    ]);
  });

  it.each([
    [{ name: "my engine" }, /name is "my engine"; it must be letters/],
    [{ name: "mine", tokens: [0] }, /token count of the scenario "mine" is 0/],
    [{ name: "mine", blocks: 1.5 }, /number of blocks of the scenario "mine" is 1.5/],
  ])("refuses %j", (changes, message) => {
    const define = () => defineScenario({ open, prompt: [1], ...changes });
    expect(define).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }) as Error);
    expect(define).toThrow(message);
  });
});
