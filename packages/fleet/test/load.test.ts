import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  readLoadRecord,
  readLoadSamples,
  totalsOf,
  verifyLoad,
  type LoadOptions,
  type LoadOutcome,
} from "@streamgauge/bench/load";
import { offerLoad, type LoadFleetTarget } from "@streamgauge/fleet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startEndpoint, type EndpointServer } from "./endpoint-server.js";
import { inTemporaryFolder } from "./fleet-run.js";
import { coordinatorTimings, moduleUrl, startAgent, type TestAgent } from "./processes.js";
import { startRedis, type TestRedis } from "./redis-server.js";

type Given = Omit<LoadOptions, "openOfferer">;
type Steps = LoadOutcome["record"]["steps"];

let redis: TestRedis;
let endpoint: EndpointServer;
let agents: TestAgent[] = [];

beforeEach(async () => {
  [redis, endpoint] = await Promise.all([startRedis(), startEndpoint()]);
  agents = [];
});

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.kill()));
  await Promise.all([redis.remove(), endpoint.close()]);
});

function start(machine: string, options: object = {}): TestAgent {
  const agent = startAgent({
    redis: redis.url,
    label: "lab",
    machine,
    endpoint: { url: endpoint.url },
    ...options,
  });
  agents.push(agent);
  return agent;
}

/** A load on the endpoint, from so many agents, into a folder. */
function load(
  count: number,
  outputFolder: string,
  changes: Partial<Given & LoadFleetTarget> = {},
): Promise<LoadOutcome> {
  const { ifLost, ...options } = changes;
  const given: Given = {
    target: {
      kind: "endpoint",
      url: endpoint.url,
      host: new URL(endpoint.url).host,
      model: "m",
      api: "chat",
    },
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
  return offerLoad(given, { redis: redis.url, agents: count, ifLost, timings: coordinatorTimings });
}

/** Every arrival was sent once, and the record follows from its raw samples. */
async function expectWhole(folder: string): Promise<Steps> {
  const record = (await readLoadRecord(folder))?.record;
  if (record === undefined) throw new Error("There is no record.");
  const verified = await verifyLoad(record, (file) => readFile(join(folder, file)));
  expect(verified).toMatchObject({ outcome: "agrees", problems: [] });
  for (const { rawSamples, stages, clients, shards } of record.steps) {
    const files = await Promise.all(
      rawSamples.map(async ({ file }) => readLoadSamples(await readFile(join(folder, file)))),
    );
    const indices = files.flatMap(({ requests }) => requests.map(({ index }) => index));
    expect(indices.toSorted((one, other) => one - other)).toEqual([...indices.keys()]);
    const { offered, arrived } = totalsOf(stages);
    expect([offered, arrived]).toEqual([indices.length, indices.length]);
    expect(clients).toHaveLength(shards);
    expect(new Set(clients?.map(({ name }) => name)).size).toBe(shards);
    for (const { startUncertaintyNanoseconds } of clients ?? []) {
      expect(startUncertaintyNanoseconds).toBeGreaterThan(0);
    }
  }
  return record.steps;
}

describe("a load from three agents", () => {
  it("offers each arrival of three rates once, and its record verifies", async () => {
    for (const machine of ["one", "two", "three"]) start(machine);
    await inTemporaryFolder(async (folder) => {
      const { record } = await load(3, folder);
      expect(record).toMatchObject({
        status: "complete",
        target: { kind: "endpoint", model: "m" },
      });
      const steps = await expectWhole(folder);
      expect(steps.map(({ shards }) => shards)).toEqual([3, 3, 3]);
      const completed = steps.map(({ stages }) => totalsOf(stages).completed);
      const sum = completed.reduce((total, each) => total + each, 0);
      // One trial for each shard of a step.
      expect(endpoint.asked).toHaveLength(sum + 9);
      // Nothing of it is left but its manifests, which expire.
      const keys = await redis.client().keys("streamgauge:*");
      expect(keys.filter((key) => /:(start|shards|chunk):/.test(key))).toEqual([]);
    });
  });

  it("offers the same as one machine does", async () => {
    for (const machine of ["one", "two", "three"]) start(machine);
    const offeredBy = async (count: number): Promise<unknown> =>
      await inTemporaryFolder(async (folder) => {
        const { record } = await load(count, folder, {
          offer: { kind: "ramp", perSecond: [10, 60, 20], seconds: 0.4 },
        });
        return record.steps.map(({ schedule, stages }) => [
          schedule,
          stages.map(({ offered, completed, outputTokens }) => [offered, completed, outputTokens]),
        ]);
      });
    const three = await offeredBy(3);
    await agents[1]?.kill();
    await agents[2]?.kill();
    expect(await offeredBy(1)).toEqual(three);
  });

  it("loads the generator of a module that all have", async () => {
    for (const machine of ["one", "two"]) start(machine);
    await inTemporaryFolder(async (folder) => {
      const url = moduleUrl("tiny.bench.mjs");
      await load(2, folder, {
        target: { kind: "module", url },
        offer: { kind: "rates", perSecond: [50], seconds: 0.5 },
      });
      const [step] = await expectWhole(folder);
      expect(step?.shards).toBe(2);
    });
  });
});

describe("a step whose shard is lost", () => {
  /** Resolves when the requests are on their way. */
  function whenSending(): {
    readonly onProgress: Given["onProgress"];
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

  it("is offered again whole, by those that are left where the user says so", async () => {
    const [first] = [start("one"), start("two")];
    await inTemporaryFolder(async (folder) => {
      const { onProgress, sending } = whenSending();
      const offer = { kind: "rates", perSecond: [20], seconds: 4 } as const;
      const running = load(2, folder, { onProgress, offer, ifLost: "go-on" });
      await sending;
      await first.kill();
      const { record } = await running;
      expect(record.status).toBe("complete");
      const steps = await expectWhole(folder);
      expect(steps.map(({ shards }) => shards)).toEqual([1]);
    });
  });

  it("waits for another machine otherwise", async () => {
    const [first] = [start("one"), start("two")];
    await inTemporaryFolder(async (folder) => {
      const { onProgress, sending } = whenSending();
      const offer = { kind: "rates", perSecond: [20], seconds: 4 } as const;
      const running = load(2, folder, { onProgress, offer });
      await sending;
      await first.kill();
      start("three");
      await running;
      const steps = await expectWhole(folder);
      expect(steps.map(({ shards }) => shards)).toEqual([2]);
    });
  });

  it("is not in the record of a load that is ended", async () => {
    start("one");
    await inTemporaryFolder(async (folder) => {
      const { onProgress, sending } = whenSending();
      const controller = new AbortController();
      const offer = { kind: "rates", perSecond: [20], seconds: 60 } as const;
      const running = load(1, folder, { onProgress, offer, signal: controller.signal });
      await sending;
      controller.abort();
      expect((await running).record).toMatchObject({ status: "interrupted", steps: [] });
      // The agent hears of it, and is there for the next.
      await agents[0]?.line(({ kind, text }) => kind === "failed" && text.includes("given up"));
      await load(1, join(folder, "next"), {
        offer: { kind: "rates", perSecond: [20], seconds: 0.5 },
      });
      await expectWhole(join(folder, "next"));
    });
  });
});

describe("a load that cannot be offered", () => {
  it("names the machine and the reason", async () => {
    start("one", { endpoint: { url: "http://127.0.0.1:9/v1" } });
    await inTemporaryFolder(async (folder) => {
      const url = "http://127.0.0.1:9/v1";
      const target = {
        kind: "endpoint",
        url,
        host: "127.0.0.1:9",
        model: "m",
        api: "chat",
      } as const;
      await expect(load(1, folder, { target })).rejects.toMatchObject({
        code: "PART_FAILED",
        message: expect.stringMatching(/lab \(one\): .*127\.0\.0\.1:9/) as string,
      });
    });
  });

  it("waits for agents that may load the endpoint, and says why the others may not", async () => {
    start("one", { endpoint: undefined });
    await inTemporaryFolder(async (folder) => {
      const controller = new AbortController();
      let said = "";
      await expect(
        load(1, folder, {
          signal: controller.signal,
          onProgress: ({ subject }) => {
            said = subject;
            if (subject.includes("not these")) controller.abort();
          },
        }),
      ).rejects.toMatchObject({ code: "MACHINES_LOST" });
      expect(said).toMatch(/lab \(one\): it was started without the endpoint's --url/);
    });
  });

  it("refuses a key of this machine, and a limit that leaves a machine nothing", async () => {
    start("one");
    start("two");
    await inTemporaryFolder(async (folder) => {
      const target = {
        kind: "endpoint",
        url: endpoint.url,
        host: "h",
        model: "m",
        api: "chat",
      } as const;
      await expect(load(1, folder, { target: { ...target, keyEnv: "KEY" } })).rejects.toThrow(
        /give --key-env to streamgauge agent/,
      );
      await expect(load(2, folder, { maxConcurrency: 1 })).rejects.toThrow(/give at least 2/);
    });
  });
});
