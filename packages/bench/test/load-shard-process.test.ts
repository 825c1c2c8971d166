import {
  deriveStages,
  openShardProcess,
  parseShardPlan,
  portableMix,
  readLoadSamples,
  recordSchedule,
  shareOfConcurrency,
  totalsOf,
  type ShardOrder,
  type ShardPlan,
} from "@streamgauge/bench/load";
import { describe, expect, it } from "vitest";
import { answering } from "./known-servers.js";
import { role, serve } from "./scripted-openai.js";

const plan: ShardPlan = {
  schedule: {
    kind: "rate",
    seed: 5,
    arrivals: "poisson",
    stages: [{ fromPerSecond: 60, toPerSecond: 60, seconds: 0.5 }],
  },
  mix: {
    source: "filler",
    list: [],
    inputTokens: { kind: "fixed", count: 3 },
    outputTokens: { kind: "uniform", lowest: 2, highest: 4 },
    ignoreEos: false,
  },
  timeoutSeconds: 60,
  maxConcurrency: null,
  limits: null,
};

function orderOf(url: string, shard = 0, of = 1): ShardOrder {
  const target = {
    kind: "endpoint",
    url,
    host: new URL(url).host,
    model: "m",
    api: "chat",
  } as const;
  return { ...plan, runId: "run", step: 0, shard, of, target };
}

describe("a shard in a process of its own", () => {
  it("begins at the moment that it is told, and is a share of the step", async () => {
    const { baseURL, requests } = await serve(answering);
    const shards = await Promise.all(
      [0, 1, 2].map((shard) => openShardProcess(orderOf(baseURL, shard, 3), {})),
    );
    // All have asked once, and wait.
    expect(requests).toHaveLength(3);
    expect(shards[0]?.target).toMatchObject({ kind: "endpoint", model: "m", api: "chat" });
    const startAt = process.hrtime.bigint() + 100_000_000n;
    const outcomes = await Promise.all(shards.map((shard) => shard.run(startAt)));
    expect(outcomes.map(({ status }) => status)).toEqual(["complete", "complete", "complete"]);
    const samples = await Promise.all(outcomes.map((each) => readLoadSamples(each.samples)));
    const indices = samples.flatMap((each) => each.requests.map(({ index }) => index));
    expect(indices.toSorted((one, other) => one - other)).toEqual([...indices.keys()]);
    for (const { shard, requests: own } of samples) {
      expect(own.every(({ index }) => index % 3 === shard)).toBe(true);
    }
    const stages = deriveStages(
      { objective: null, lateAfterNanoseconds: 10e6 },
      { schedule: recordSchedule(plan.schedule), stages: [{ seconds: 0.5 }] },
      samples,
    );
    const { offered, arrived, completed } = totalsOf(stages);
    expect([offered, arrived, completed]).toEqual(Array(3).fill(indices.length));
    expect(requests).toHaveLength(3 + indices.length);
    await Promise.all(shards.map((shard) => shard.end()));
  });

  it("ends what is in flight after an abort", async () => {
    let sent: () => void = () => undefined;
    const isSent = new Promise<void>((resolve) => {
      sent = resolve;
    });
    let asked = 0;
    const { baseURL } = await serve(async (response, seen) => {
      asked += 1;
      if (asked === 1) return answering(response, seen);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(role);
      sent();
      await seen.closed;
    });
    const controller = new AbortController();
    const shard = await openShardProcess(orderOf(baseURL), { signal: controller.signal });
    const running = shard.run(process.hrtime.bigint());
    await isSent;
    controller.abort();
    const { status, samples } = await running;
    expect(status).toBe("interrupted");
    const { requests } = await readLoadSamples(samples);
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.every(({ outcome }) => outcome === "interrupted")).toBe(true);
    await shard.end();
  });

  it("fails by name where it is killed, and where its endpoint does not answer", async () => {
    const { baseURL } = await serve(answering);
    const shard = await openShardProcess(orderOf(baseURL), {});
    const running = shard.run(process.hrtime.bigint() + 60_000_000_000n);
    await shard.end();
    await expect(running).rejects.toMatchObject({ code: "PROCESS_FAILED" });
    await expect(openShardProcess(orderOf("http://127.0.0.1:9/v1"), {})).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
    });
  });
});

describe("the plan of a step", () => {
  it("is the same after JSON", () => {
    const list = [{ prompt: new Uint32Array([1, 2]), outputTokens: 2 }, { inputTokens: 3 }];
    const mix = portableMix({ ...plan.mix, source: "list", list });
    const sent: unknown = JSON.parse(JSON.stringify({ ...plan, mix }));
    expect(parseShardPlan(sent)).toEqual({ ...plan, mix });
    expect(mix.list[0]?.prompt).toEqual([1, 2]);
  });

  it.each<[string, object]>([
    ["no plan", { schedule: undefined }],
    ["another schedule", { schedule: { kind: "burst" } }],
    ["a list that is none", { mix: { ...plan.mix, list: 3 } }],
    ["a list for filler", { mix: { ...plan.mix, list: [{}] } }],
    ["an endless length", { mix: { ...plan.mix, inputTokens: { kind: "fixed", count: 1e12 } } }],
    ["an endless entry", { mix: { ...plan.mix, source: "list", list: [{ inputTokens: 1e12 }] } }],
    [
      "a prompt that is none",
      { mix: { ...plan.mix, source: "list", list: [{ prompt: { a: 1 } }] } },
    ],
    ["no timeout", { timeoutSeconds: "soon" }],
    ["limits that are none", { limits: { timeToFirstToken: "soon" } }],
  ])("is refused with %s", (_, change) => {
    expect(() => parseShardPlan(JSON.parse(JSON.stringify({ ...plan, ...change })))).toThrow(
      /plan of a load is none/,
    );
  });

  it("shares the most requests in flight out", () => {
    const shares = [0, 1, 2].map((shard) => shareOfConcurrency(8, { shard, of: 3 }));
    expect(shares).toEqual([3, 3, 2]);
    expect(shareOfConcurrency(2, { shard: 2, of: 3 })).toBeUndefined();
  });
});
