import { messageOf, type GenerationConfig, type Generator } from "@streamgauge/core";
import { createInlineGenerator, createRuntime } from "@streamgauge/runtime";
import { greedyInTransformers } from "../transformers-reference.js";
import { openFullContext } from "./full-context.js";
import type { ZooRow } from "./zoo-row.js";

/** What one part of the course found. */
export interface CoursePart {
  readonly part: string;
  /** "right", "wrong at token n", or what failed. */
  readonly found: string;
}

/** What the ids are held against. */
export interface Reference {
  greedy(prompt: readonly number[], count: number): Promise<readonly number[]>;
  release(): Promise<void>;
}

/** Says whether ids are right. */
export interface Judge {
  /** "right", or at which token they are wrong. */
  firstDifference(
    ids: readonly number[],
    prompt: readonly number[],
    count: number,
  ): Promise<string>;
  release(): Promise<void>;
}

export interface CourseOptions {
  /** Default: each step a run of all ids without a cache. */
  readonly openReference?: (folder: string) => Promise<Reference>;
  /** Default: ids are those of the reference. */
  readonly openJudge?: (folder: string) => Promise<Judge>;
}

/** Ids are right that are a reference's. */
function openComparison(reference: Reference): Judge {
  const known = new Map<string, Promise<readonly number[]>>();
  return {
    async firstDifference(made, prompt, length) {
      const key = `${length}: ${prompt.join()}`;
      let ids = known.get(key);
      if (ids === undefined) known.set(key, (ids = reference.greedy(prompt, length)));
      return firstDifference(made, await ids);
    },
    release: () => reference.release(),
  };
}

const count = 44;
/** Long enough to cross whatever windows and borders a row has. */
const longCount = 100;
/** Behind a prompt so long that each step of the reference is. */
const countBehindPieces = 20;
/** A model that says the same again and again would do so whatever is in its cache. */
const leastKinds = 5;

/**
 * Runs a row's folder in every way that the runtime has, and compares ids with the
 * reference's. Does not throw for what is wrong with them.
 */
export async function runCourse(
  row: ZooRow,
  folder: string,
  {
    openReference = openFullContext,
    openJudge = async (of) => openComparison(await openReference(of)),
  }: CourseOptions = {},
): Promise<CoursePart[]> {
  const parts: CoursePart[] = [];
  const judge = await openJudge(folder);
  const compare: Compare = (ids, prompt, length) => judge.firstDifference(ids, prompt, length);
  const take = async (part: string, run: () => Promise<string>): Promise<void> => {
    let found: string;
    try {
      found = await run();
    } catch (error) {
      found = `failed: ${messageOf(error)}`;
    }
    parts.push({ part, found });
  };

  try {
    const open = { model: folder, threads: 1 };
    await take("inline", async () => {
      await using generator = await createInlineGenerator(open);
      await takeAlone(row, generator, "some", (part, run) => take(`inline, ${part}`, run), compare);
      return "right";
    });
    // This needs a runtime of its own, because prompts are run together where nothing was run before.
    await take("pool, six at once", async () => {
      await using runtime = await createRuntime(open);
      return await takeCrowd(row, runtime, compare);
    });
    await take("pool", async () => {
      await using runtime = await createRuntime({ ...open, ring: { capacity: 2 } });
      const takePart = (part: string, run: () => Promise<string>): Promise<void> =>
        take(`pool, ${part}`, run);
      const { maxBatch } = runtime.describe();
      await takeTogether(row, runtime, maxBatch, takePart, compare);
      await takeAlone(row, runtime, "all", takePart, compare);
      return "right";
    });
    if (row.transformers) {
      await take("transformers.js", async () => {
        const prompt = idsFrom(row, 5, 11);
        return await compare(await greedyInTransformers(folder, prompt, count), prompt, count);
      });
    }
  } finally {
    await judge.release();
  }
  return parts;
}

type Take = (part: string, run: () => Promise<string>) => Promise<void>;
type Compare = (
  ids: readonly number[],
  prompt: readonly number[],
  length: number,
) => Promise<string>;

/** Ids that the seed alone decides. */
function idsFrom({ vocabulary }: ZooRow, seed: number, length: number): number[] {
  return Array.from({ length }, (_, at) => (seed * 7 + at * (2 * seed + 3) + at * at) % vocabulary);
}

function greedily(maxTokens: number): GenerationConfig {
  return { maxTokens, temperature: 0, ignoreEos: true };
}

/** One after another; some of it, or all. */
async function takeAlone(
  row: ZooRow,
  generator: Generator,
  howMuch: "some" | "all",
  take: Take,
  compare: Compare,
): Promise<void> {
  const run = async (
    part: string,
    prompt: readonly number[],
    length: number,
  ): Promise<readonly number[]> => {
    let made: readonly number[] = [];
    await take(part, async () => {
      made = (await generator.generate(prompt, greedily(length))).ids;
      return await compare(made, prompt, length);
    });
    return made;
  };
  const first = idsFrom(row, 3, 7);
  const second = [...first, ...(await run("alone", first, count)), ...idsFrom(row, 4, 5)];
  const third = [...second, ...(await run("second turn", second, count)), ...idsFrom(row, 6, 9)];
  const cutBack = async (all: readonly number[]): Promise<void> => {
    await run("cut back a little", [...all.slice(0, -12), ...idsFrom(row, 8, 3)], count);
  };
  const pieces = idsFrom(row, 2, 300);
  if (howMuch === "some") {
    await cutBack(third);
    await run("300 ids in pieces", pieces, countBehindPieces);
    return;
  }
  await cutBack([...third, ...(await run("third turn", third, count))]);
  await run("cut back to the beginning", [...first.slice(0, 4), ...idsFrom(row, 9, 4)], count);
  await run("300 ids in pieces", pieces, countBehindPieces);
  const long = idsFrom(row, 7, 20);
  const made = await run("long", long, longCount);
  await take("whether its ids tell anything", async () => {
    const kinds = new Set(made.slice(-count)).size;
    return kinds >= leastKinds ? "right" : `only ${kinds} different ids in ${count}`;
  });
  await run("cut back by half", [...long, ...made.slice(0, longCount / 2)], count);
}

/** Three at once, of which one's reader stands still until the others have ended. */
async function takeTogether(
  row: ZooRow,
  generator: Generator,
  maxBatch: number,
  take: Take,
  compare: Compare,
): Promise<void> {
  const prompts = [idsFrom(row, 1, 19), idsFrom(row, 5, 3), idsFrom(row, 2, 40)] as const;
  // In the middle, so that its rows are part of the others' runs. Where only one runs at a time,
  // nothing ends behind one that stands still: it comes last.
  const order = maxBatch > 1 ? [1, 0, 2] : [1, 2, 0];
  const read = async (index: number, afterFirst: () => Promise<unknown>): Promise<number[]> => {
    const ids: number[] = [];
    for await (const { id } of generator.generateStreamAsync(
      prompts[index] ?? [],
      greedily(count),
    )) {
      ids.push(id);
      if (ids.length === 1) await afterFirst();
    }
    return ids;
  };
  const others: Promise<number[]>[] = [];
  const running = order.map((index) => {
    if (index === 0) return read(index, () => Promise.allSettled(others));
    const reading = read(index, () => Promise.resolve());
    others.push(reading);
    return reading;
  });
  const settled = await Promise.allSettled(running);
  for (const [at, index] of order.entries()) {
    const result = settled[at];
    const part = index === 0 ? "together, stalled" : `together, ${index}`;
    await take(part, async () => {
      if (result?.status !== "fulfilled") throw result?.reason;
      return await compare(result.value, prompts[index] ?? [], count);
    });
  }
}

/** Prompts of unequal lengths that wait together, so that some of them are one run. */
async function takeCrowd(row: ZooRow, generator: Generator, compare: Compare): Promise<string> {
  const prompts = [30, 5, 17, 60, 2, 44].map((length, at) => idsFrom(row, 10 + at, length));
  const length = 12;
  const results = await Promise.all(
    prompts.map((prompt) => generator.generate(prompt, greedily(length))),
  );
  for (const [at, { ids }] of results.entries()) {
    const found = await compare(ids, prompts[at] ?? [], length);
    if (found !== "right") return found;
  }
  return "right";
}

function firstDifference(ids: readonly number[], expected: readonly number[]): string {
  const at = expected.findIndex((id, index) => id !== ids[index]);
  if (at >= 0) return `wrong at token ${at}`;
  return ids.length === expected.length ? "right" : `wrong at token ${expected.length}`;
}
