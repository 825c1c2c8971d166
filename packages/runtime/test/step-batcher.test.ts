import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { StepBatcher } from "../src/engine/step-batcher.js";

/** Ids of a prompt, which may join others where it begins. */
interface Piece {
  readonly ids: readonly number[];
  readonly joins: boolean;
}

const prompt = (length: number): readonly number[] => Array<number>(length).fill(1);
const begins = (length: number): Piece => ({ ids: prompt(length), joins: true });

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
  const sequence = async (
    name: string,
    ...pieces: (readonly number[] | Piece)[]
  ): Promise<void> => {
    batcher.begin();
    try {
      for (const piece of pieces) {
        const { ids, joins } = "ids" in piece ? piece : { ids: piece, joins: false };
        await batcher.advance(name, ids, joins);
      }
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
  expect(runs).toEqual(["a b c", "a b c", "a c"]);
});

it("runs a piece of a long prompt before each step, of each prompt in turn", async () => {
  const { runs, sequence } = startBatcher();
  await Promise.all([
    sequence("a", [1], [1], [1], [1], [1], [1]),
    sequence("p", prompt(40), prompt(50)),
    sequence("q", prompt(64), prompt(60)),
  ]);
  expect(runs).toEqual(["p:40", "a", "q:64", "a", "p:50", "a", "q:60", "a", "a", "a"]);
});

it("runs several short pieces before a step", async () => {
  const { runs, sequence } = startBatcher();
  await Promise.all([
    sequence("a", [1], [1], [1]),
    ...["p", "q", "r", "s"].map((name) => sequence(name, prompt(20), [1])),
  ]);
  expect(runs).toEqual(["p:20", "q:20", "r:20", "a p q r", "s:20", "a s", "a"]);
});

it("runs prompts that begin together as one, with little padding", async () => {
  const { runs, sequence } = startBatcher();
  await Promise.all([
    sequence("p", begins(20), [1]),
    sequence("q", begins(64), [1]),
    sequence("r", begins(16), prompt(2), [1]),
    sequence("s", begins(21), [1]),
    sequence("t", begins(9), [1]),
  ]);
  expect(runs).toEqual(["p:20 s:21 r:16", "q:64", "t:9", "r:2", "p s q t r"]);
});

it("makes few wait until many have begun, and many not for few", async () => {
  const { runs, sequence } = startBatcher();
  const names = ["p", "q", "r", "s", "t"];
  await Promise.all([
    sequence("a", [1], [1]),
    ...names.map((name) => sequence(name, begins(64), [1])),
  ]);
  expect(runs).toEqual(["p:64", "q:64", "r:64", "s:64", "a p q r s", "t:64", "a t"]);
  runs.length = 0;
  await Promise.all([
    ...names.map((name) => sequence(name, [1], [1])),
    ...["a", "b", "c"].map((name) => sequence(name, begins(30), [1])),
  ]);
  expect(runs).toEqual(["a:30 b:30", "p q r s t a b", "c:30", "p q r s t c"]);
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
