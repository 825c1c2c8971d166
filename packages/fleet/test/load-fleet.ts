import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  readLoadRecord,
  readLoadSamples,
  totalsOf,
  verifyLoad,
  type LoadOptions,
  type LoadOutcome,
  type LoadSamples,
  type TargetPlan,
} from "@streamgauge/bench/load";
import { offerLoad, type LoadFleetTarget } from "@streamgauge/fleet";
import { afterEach, beforeEach, expect } from "vitest";
import { answering } from "../../bench/test/known-servers.js";
import { serve, type Script, type Seen } from "../../bench/test/scripted-openai.js";
import { coordinatorTimings, startAgent, type TestAgent } from "./processes.js";
import { startRedis, type TestRedis } from "./redis-server.js";

export type LoadSteps = LoadOutcome["record"]["steps"];

type GivenLoad = Omit<LoadOptions, "openOfferer">;

/** What a test changes of a load; see {@link LoadFleet.load}. */
export type LoadChanges = Partial<GivenLoad & Pick<LoadFleetTarget, "ifLost" | "timings">>;

/** Redis, agents and an endpoint of one test. */
export class LoadFleet {
  #redis: TestRedis | undefined;
  #endpoint: { readonly baseURL: string; readonly requests: readonly Seen[] } | undefined;
  readonly #agents: TestAgent[] = [];

  get redis(): TestRedis {
    if (this.#redis === undefined) throw new Error("Redis runs while a test does.");
    return this.#redis;
  }

  /** Of the endpoint. */
  get url(): string {
    return this.#endpoint?.baseURL ?? "";
  }

  /** What the endpoint was asked. */
  get requests(): readonly Seen[] {
    return this.#endpoint?.requests ?? [];
  }

  get agents(): readonly TestAgent[] {
    return this.#agents;
  }

  async begin(): Promise<void> {
    this.#redis = await startRedis();
    await this.answer(answering);
  }

  async end(): Promise<void> {
    await Promise.all(this.#agents.splice(0).map((agent) => agent.kill()));
    await this.#redis?.remove();
  }

  /** Has the endpoint answer otherwise; agents that are started later know its new address. */
  async answer(script: Script): Promise<void> {
    this.#endpoint = await serve(script);
  }

  /** An agent that may load the endpoint. */
  start(machine: string, options: object = {}): TestAgent {
    const agent = startAgent({
      redis: this.redis.url,
      label: "lab",
      machine,
      endpoint: { url: this.url },
      ...options,
    });
    this.#agents.push(agent);
    return agent;
  }

  /** The endpoint, as a load names it. */
  get target(): Extract<TargetPlan, { readonly kind: "endpoint" }> {
    const { host } = new URL(this.url);
    return { kind: "endpoint", url: this.url, host, model: "m", api: "chat" };
  }

  /** A load on the endpoint, from so many agents, into a folder. */
  load(count: number, outputFolder: string, changes: LoadChanges = {}): Promise<LoadOutcome> {
    const { ifLost, timings = coordinatorTimings, ...options } = changes;
    const given: GivenLoad = {
      target: this.target,
      mix: {
        source: "filler",
        list: [],
        inputTokens: { kind: "fixed", count: 3 },
        outputTokens: { kind: "fixed", count: 2 },
        ignoreEos: false,
      },
      offer: { kind: "rates", perSecond: [20, 40, 80], seconds: 0.5 },
      seed: 7,
      pauseSeconds: 0,
      outputFolder,
      ...options,
    };
    return offerLoad(given, { redis: this.redis.url, agents: count, ifLost, timings });
  }
}

/** A fleet for each test of a file. */
export function fleetForEachTest(): LoadFleet {
  const fleet = new LoadFleet();
  beforeEach(() => fleet.begin());
  afterEach(() => fleet.end());
  return fleet;
}

/** Resolves when the requests of a load are on their way. */
export function whenSending(): {
  readonly onProgress: NonNullable<GivenLoad["onProgress"]>;
  readonly sending: Promise<void>;
} {
  let begin: () => void = () => undefined;
  const sending = new Promise<void>((resolve) => {
    begin = resolve;
  });
  return {
    sending,
    onProgress: ({ subject }) => {
      if (/, [1-9]\d* of \d+ s$/.test(subject)) begin();
    },
  };
}

/** The raw samples of a step, of each shard. */
export async function samplesOf(
  { rawSamples }: LoadSteps[number],
  folder: string,
): Promise<readonly LoadSamples[]> {
  return await Promise.all(
    rawSamples.map(async ({ file }) => readLoadSamples(await readFile(join(folder, file)))),
  );
}

/** The record of a load follows from its raw samples, and each shard has a machine of its own. */
export async function expectVerified(folder: string): Promise<LoadOutcome["record"]> {
  const record = (await readLoadRecord(folder))?.record;
  if (record === undefined) throw new Error("There is no record.");
  const verified = await verifyLoad(record, (file) => readFile(join(folder, file)));
  expect(verified).toMatchObject({ outcome: "agrees", problems: [] });
  for (const { clients, shards } of record.steps) {
    expect(clients).toHaveLength(shards);
    expect(new Set(clients?.map(({ name }) => name)).size).toBe(shards);
    for (const { startUncertaintyNanoseconds } of clients ?? []) {
      expect(startUncertaintyNanoseconds).toBeGreaterThan(0);
    }
  }
  return record;
}

/** Every arrival was sent once, and the record verifies. */
export async function expectWhole(folder: string): Promise<LoadSteps> {
  const { steps } = await expectVerified(folder);
  for (const step of steps) {
    const samples = await samplesOf(step, folder);
    const indices = samples.flatMap(({ requests }) => requests.map(({ index }) => index));
    expect(indices.toSorted((one, other) => one - other)).toEqual([...indices.keys()]);
    const { offered, arrived } = totalsOf(step.stages);
    expect([offered, arrived]).toEqual([indices.length, indices.length]);
  }
  return steps;
}
