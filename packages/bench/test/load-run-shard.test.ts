import { setTimeout as pause } from "node:timers/promises";
import type { ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import type { RateSchedule } from "../src/record/index.js";
import { requestOf, type ListedRequest, type RequestMix } from "../src/load/request-mix.js";
import type { RequestSample } from "../src/load/request-sample.js";
import { runShard, type ShardOptions, type ShardOutcome } from "../src/load/run-shard.js";
import { arrivalsOf, constantRate } from "../src/load/schedule.js";
import { StageTally } from "../src/load/stage-tally.js";
import { systemClock } from "../src/plan/clock.js";
import { promptOf } from "./endpoint-servers.js";
import {
  closeServers,
  delta,
  done,
  generatorOver,
  role,
  serve,
  usage,
  type Script,
} from "./scripted-openai.js";
import { createSimulatedServer } from "./simulated-server.js";
import { VirtualTime } from "./virtual-time.js";

const filler: RequestMix = {
  source: "filler",
  list: [],
  inputTokens: { kind: "fixed", count: 3 },
  outputTokens: { kind: "fixed", count: 2 },
  ignoreEos: false,
};

const lateAfterNanoseconds = 10e6;

const answer =
  role + delta({ content: "a" }) + delta({ content: "b" }, "stop") + usage(3, 2) + done;

function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
}

/** Runs a schedule over a real socket, and keeps what was seen. */
async function load(
  script: Script,
  schedule: RateSchedule,
  options: Partial<ShardOptions> = {},
): Promise<ShardOutcome & { samples: RequestSample[]; requests: readonly unknown[] }> {
  const { generator, requests } = await generatorOver(script);
  const samples: RequestSample[] = [];
  const outcome = await runShard(
    { schedule, shard: 0, of: 1, startAtNanoseconds: systemClock.nowNanoseconds() },
    {
      generator,
      mix: filler,
      limits: {},
      lateAfterNanoseconds,
      ...options,
      onSample: (sample) => {
        samples.push(sample);
        options.onSample?.(sample);
      },
    },
  );
  return { ...outcome, samples, requests };
}

const steady = (perSecond: number, seconds: number): RateSchedule =>
  constantRate(perSecond, { seed: 4, arrivals: "constant", seconds });

describe("a load over a socket", () => {
  it("sends each request of its schedule once, and counts what came", async () => {
    const schedule: RateSchedule = {
      kind: "rate",
      seed: 9,
      arrivals: "poisson",
      stages: [
        { fromPerSecond: 40, toPerSecond: 40, seconds: 0.5 },
        { fromPerSecond: 40, toPerSecond: 120, seconds: 0.5 },
      ],
    };
    const { status, stages, requests, samples } = await load((response) => {
      begin(response);
      response.end(answer);
    }, schedule);
    const offered = [...arrivalsOf(schedule)];
    expect(status).toBe("complete");
    expect(requests).toHaveLength(offered.length);
    for (const {
      stage,
      offered: planned,
      arrived,
      completed,
      outputTokens,
      promptTokens,
    } of stages) {
      const own = offered.filter((arrival) => arrival.stage === stage).length;
      expect([planned, arrived, completed]).toEqual([own, own, own]);
      expect([outputTokens, promptTokens]).toEqual([2 * own, 3 * own]);
    }
    const prompts = requests.map((seen) => promptOf((seen as { body: object }).body as never));
    const expected = offered.map(({ index }) => requestOf(filler, schedule.seed, index).prompt);
    expect(new Map(prompts.map((prompt) => [prompt, true]))).toEqual(
      new Map(expected.map((prompt) => [prompt, true])),
    );
    // No request is sent before it is due, and nothing is shorter than what it has in it.
    for (const { deliveredNanoseconds, endNanoseconds, latenessNanoseconds } of samples) {
      const [first = Number.NaN] = Array.from(deliveredNanoseconds);
      expect(latenessNanoseconds).toBeGreaterThanOrEqual(0);
      expect(first).toBeGreaterThanOrEqual(latenessNanoseconds);
      expect(endNanoseconds).toBeGreaterThanOrEqual(first);
    }
  });

  it("sees a server that stops in the latencies of all that are due meanwhile", async () => {
    let seen = 0;
    // The server goes on when this many wait for it: a client that waits for answers asks once.
    const expected = 50;
    const waiting: (() => void)[] = [];
    let isStopped = false;
    const { stages, samples } = await load(
      async (response) => {
        seen += 1;
        if (seen === 40) isStopped = true;
        if (isStopped) {
          const goOn = new Promise<void>((resolve) => waiting.push(resolve));
          if (waiting.length === expected) {
            isStopped = false;
            for (const resolve of waiting) resolve();
          }
          await goOn;
        }
        begin(response);
        response.end(answer);
      },
      steady(100, 1.5),
    );
    expect(waiting).toHaveLength(expected);
    const slow = samples.filter(({ endNanoseconds }) => endNanoseconds >= 100e6);
    expect(slow.length).toBeGreaterThan(25);
    expect(stages[0]?.endToEnd?.p99Nanoseconds).toBeGreaterThan(400e6);
    expect(stages[0]?.timeToFirstToken?.p99Nanoseconds).toBeGreaterThan(400e6);
    expect(stages[0]).toMatchObject({ offered: 150, arrived: 150, completed: 150 });
  });

  it("judges requests by what the server is known to take", async () => {
    const slowness = 3000;
    const limit = 2.5e9;
    const list: readonly ListedRequest[] = ["fast", "slow first", "slow second"].map((prompt) => ({
      prompt,
    }));
    const mix: RequestMix = { ...filler, source: "list", list };
    const schedule = steady(40, 1);
    const { samples, stages } = await load(
      async (response, { body }) => {
        const kind = promptOf(body);
        begin(response);
        response.write(role);
        if (kind === "slow first") await pause(slowness);
        response.write(delta({ content: "a" }));
        if (kind === "slow second") await pause(slowness);
        response.end(delta({ content: "b" }, "stop") + usage(3, 2) + done);
      },
      schedule,
      { mix, limits: { timeToFirstToken: limit } },
    );
    const kinds = samples.map(({ index }) => requestOf(mix, schedule.seed, index).prompt);
    const count = (...which: string[]): number =>
      kinds.filter((kind) => which.includes(kind as string)).length;
    expect(count("fast")).toBeGreaterThan(3);
    expect(stages[0]?.good).toBe(count("fast", "slow second"));
    const goodUnder = (limits: object): number => {
      const tally = new StageTally(
        { stage: 0, seconds: 1, offered: samples.length },
        { limits, lateAfterNanoseconds },
      );
      for (const sample of samples) tally.add(sample);
      return tally.summarize().good;
    };
    expect(goodUnder({ timeToFirstToken: limit })).toBe(count("fast", "slow second"));
    expect(goodUnder({ interTokenLatency: limit })).toBe(count("fast", "slow first"));
    expect(goodUnder({ timePerOutputToken: limit })).toBe(count("fast", "slow first"));
    expect(goodUnder({ endToEnd: limit })).toBe(count("fast"));
    expect(goodUnder({ endToEnd: 60e9 })).toBe(40);
    expect(goodUnder({})).toBe(40);
  });

  it("counts failures by their kind, and goes on", async () => {
    const list = ["limited", "broken", "cut", "filtered", "fine"].map((prompt) => ({ prompt }));
    const mix: RequestMix = { ...filler, source: "trace", list };
    const { status, stages, requests } = await load(
      (response, { body }) => {
        const kind = promptOf(body);
        if (kind === "limited") return void response.writeHead(429).end("{}");
        if (kind === "broken") return void response.writeHead(500).end("no");
        begin(response);
        if (kind === "cut") {
          response.write(delta({ content: "a" }));
          return void setImmediate(() => response.destroy());
        }
        const end = kind === "filtered" ? "content_filter" : "stop";
        response.end(delta({ content: "a" }, end) + usage(1, 1) + done);
      },
      steady(50, 0.5),
      { mix },
    );
    const [stage] = stages;
    expect(status).toBe("complete");
    expect(requests).toHaveLength(25);
    expect(stage).toMatchObject({ offered: 25, arrived: 25, completed: 5, failed: 20, good: 5 });
    const {
      "HTTP 429": limited,
      "HTTP 500": broken,
      ENGINE_FAILED: filtered,
      ...cut
    } = stage?.errors ?? {};
    expect([limited, broken, filtered]).toEqual([5, 5, 5]);
    // The system's word for it is not the same everywhere.
    expect(Object.values(cut).reduce((sum, each) => sum + each, 0)).toBe(5);
    expect(Object.keys(cut).every((kind) => /^(E|UND_ERR_)[A-Z]+/.test(kind))).toBe(true);
    expect(stage?.endToEnd?.count).toBe(5);
  });

  it("does not say a key that a server repeats", async () => {
    const { generator } = await generatorOver(
      (response) => void response.writeHead(401).end('{"error":{"message":"no sk-secret"}}'),
      { apiKey: "sk-secret" },
    );
    const outcome = await runShard(
      {
        schedule: steady(50, 0.1),
        shard: 0,
        of: 1,
        startAtNanoseconds: systemClock.nowNanoseconds(),
      },
      { generator, mix: filler, limits: {}, lateAfterNanoseconds },
    );
    expect(outcome.stages[0]?.errors).toEqual({ "HTTP 401": 5 });
  });

  it("counts a server that nobody reaches", async () => {
    const { baseURL } = await serve(() => undefined);
    await closeServers();
    const { generator } = await generatorOver(() => undefined, { baseURL });
    const outcome = await runShard(
      {
        schedule: steady(50, 0.1),
        shard: 0,
        of: 1,
        startAtNanoseconds: systemClock.nowNanoseconds(),
      },
      { generator, mix: filler, limits: {}, lateAfterNanoseconds },
    );
    expect(outcome.stages[0]).toMatchObject({
      arrived: 5,
      completed: 0,
      errors: { ECONNREFUSED: 5 },
    });
  });

  it("gives a request up after its time, and ends though the server never does", async () => {
    const { status, stages } = await load(begin, steady(50, 0.2), { timeoutSeconds: 0.3 });
    expect(status).toBe("complete");
    expect(stages[0]).toMatchObject({ arrived: 10, failed: 10, errors: { timeout: 10 } });
  });

  it("keeps what is done when it is interrupted, and stops what is in flight", async () => {
    const controller = new AbortController();
    const { status, stages, samples } = await load(
      (response, { body }) => {
        begin(response);
        if (promptOf(body) === "never") return void response.write(role);
        response.end(answer);
      },
      steady(50, 60),
      {
        mix: { ...filler, source: "trace", list: [{ prompt: "ends" }, { prompt: "never" }] },
        signal: controller.signal,
        onSample: ({ index }) => {
          if (index === 20) controller.abort();
        },
      },
    );
    const [stage] = stages;
    expect(status).toBe("interrupted");
    expect(stage?.offered).toBe(3000);
    expect(stage?.arrived).toBe(samples.length);
    expect(stage?.arrived).toBeLessThan(3000);
    expect(stage?.completed).toBeGreaterThanOrEqual(1);
    expect(stage?.interrupted).toBeGreaterThanOrEqual(10);
    expect((stage?.completed ?? 0) + (stage?.interrupted ?? 0)).toBe(stage?.arrived);
    // What was stopped has no latency: it has not ended by itself.
    expect(stage?.endToEnd?.count).toBe(stage?.completed);
  });
});

describe("a load in virtual time", () => {
  async function simulate(
    schedule: RateSchedule,
    server: { places: number; tokenSeconds: number },
    options: Partial<ShardOptions> = {},
  ): Promise<ShardOutcome & { samples: RequestSample[] }> {
    const time = new VirtualTime();
    const samples: RequestSample[] = [];
    const work = runShard(
      { schedule, shard: 0, of: 1, startAtNanoseconds: 0 },
      {
        generator: createSimulatedServer(time, server),
        mix: { ...filler, outputTokens: { kind: "fixed", count: 2 } },
        limits: {},
        lateAfterNanoseconds,
        clock: time,
        waitUntil: (due) => time.until(due),
        onSample: (sample) => samples.push(sample),
        ...options,
      },
    );
    const outcome = await time.run(work, { turns: 3 });
    return { ...outcome, samples: samples.toSorted((one, other) => one.index - other.index) };
  }

  it("is as late as nothing, where the client has nothing else to do", async () => {
    const { stages, samples } = await simulate(steady(10, 2), { places: 100, tokenSeconds: 0.5 });
    expect(stages[0]).toMatchObject({ completed: 20, late: 0, mostInFlight: 10 });
    expect(stages[0]?.lateness?.maximumNanoseconds).toBe(0);
    for (const sample of samples) {
      expect(sample).toMatchObject({
        endNanoseconds: 1e9,
        deliveredNanoseconds: [0.5e9, 1e9],
        outputTokens: 2,
        promptTokens: 3,
      });
    }
  });

  it("has the queue of a server in its latencies", async () => {
    // One second each, one at a time, two in a second: each waits half a second longer.
    const { samples } = await simulate(steady(2, 4), { places: 1, tokenSeconds: 0.5 });
    expect(samples.map(({ endNanoseconds }) => endNanoseconds / 1e9)).toEqual([
      1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5,
    ]);
  });

  it("waits where it may not have more in flight, says so, and hides nothing", async () => {
    const { stages, samples } = await simulate(
      steady(10, 1),
      { places: 100, tokenSeconds: 0.5 },
      { maxConcurrency: 2 },
    );
    const lateness = (index: number): number =>
      Math.max(0, Math.round(Math.floor(index / 2) * 1e9 + (index % 2) * 1e8 - index * 1e8));
    expect(stages[0]).toMatchObject({ arrived: 10, completed: 10, late: 8, mostInFlight: 2 });
    for (const { index, latenessNanoseconds, endNanoseconds } of samples) {
      expect(latenessNanoseconds).toBe(lateness(index));
      expect(endNanoseconds).toBe(lateness(index) + 1e9);
    }
  });

  it("ends as soon as the rest is of no interest", async () => {
    const { status, stages } = await simulate(
      steady(10, 100),
      { places: 1, tokenSeconds: 0.5 },
      {
        limits: { endToEnd: 1.5e9 },
        isDecided: ([tally]) => (tally?.bad ?? 0) >= 3,
      },
    );
    expect(status).toBe("decided");
    expect(stages[0]?.arrived).toBeLessThan(100);
    expect(stages[0]?.interrupted).toBeGreaterThan(10);
  });

  it("refuses a mix without requests", async () => {
    await expect(
      simulate(
        steady(1, 1),
        { places: 1, tokenSeconds: 1 },
        { mix: { ...filler, source: "list" } },
      ),
    ).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});
