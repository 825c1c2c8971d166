import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { StepBatcher } from "../src/engine/step-batcher.js";

/** A batcher of named sequences, and the runs it made, such as "a b" or "c:3". */
function startBatcher(failOn?: string) {
  const runs: string[] = [];
  const batcher = new StepBatcher<string>(async (advances) => {
    const run = advances
      .map(({ member, ids }) => (ids.length > 1 ? `${member}:${ids.length}` : member))
      .join(" ");
    runs.push(run);
    await nextTurn();
    if (run === failOn) throw new Error(run);
  });
  const sequence = async (name: string, ...pieces: number[][]): Promise<void> => {
    batcher.begin();
    try {
      for (const ids of pieces) await batcher.advance(name, ids);
    } finally {
      batcher.end();
    }
  };
  return { runs, batcher, sequence };
}

it("runs what waits at the same time as one", async () => {
  const { runs, sequence } = startBatcher();
  await Promise.all([
    sequence("a", [1], [1], [1]),
    sequence("b", [1], [1]),
    sequence("c", [1], [1], [1]),
  ]);
  // The first came when nobody else had begun; then each waits for the others.
  expect(runs).toEqual(["a", "b c a", "b c a", "c"]);
});

const prompt = (length: number): number[] => Array<number>(length).fill(1);

it("runs a piece of a long prompt before each step, of each prompt in turn", async () => {
  const { runs, batcher, sequence } = startBatcher();
  batcher.begin();
  const all = Promise.all([
    sequence("a", [1], [1], [1], [1], [1], [1]),
    sequence("p", prompt(40), prompt(50)),
    sequence("q", prompt(64), prompt(60)),
  ]);
  batcher.end();
  await all;
  expect(runs).toEqual(["p:40", "a", "q:64", "a", "p:50", "a", "q:60", "a", "a", "a"]);
});

it("runs several short prompts before a step", async () => {
  const { runs, batcher, sequence } = startBatcher();
  batcher.begin();
  const all = Promise.all([
    sequence("a", [1], [1], [1]),
    ...["p", "q", "r", "s"].map((name) => sequence(name, prompt(20), [1])),
  ]);
  batcher.end();
  await all;
  expect(runs).toEqual(["p:20", "q:20", "r:20", "a p q r", "s:20", "a s", "a"]);
});

it("does not wait for a sequence that wants nothing", async () => {
  const { runs, batcher, sequence } = startBatcher();
  batcher.begin();
  await sequence("a", [1], [1]);
  expect(runs).toEqual(["a", "a"]);
  batcher.end();
});

it("fails those of the run that failed, and no others", async () => {
  const { runs, batcher, sequence } = startBatcher("p:2");
  batcher.begin();
  const all = Promise.allSettled([sequence("a", [1], [1]), sequence("p", [1, 2], [3])]);
  batcher.end();
  expect(await all).toMatchObject([{ status: "fulfilled" }, { reason: { message: "p:2" } }]);
  expect(runs).toEqual(["p:2", "a", "a"]);
});
