import { join } from "node:path";
import { totalsOf } from "@streamgauge/bench/load";
import { describe, expect, it } from "vitest";
import { answering } from "../../bench/test/known-servers.js";
import { json } from "../../bench/test/scripted-openai.js";
import { inTemporaryFolder } from "./fleet-run.js";
import { expectVerified, expectWhole, fleetForEachTest, whenSending } from "./load-fleet.js";
import { moduleUrl } from "./processes.js";

const fleet = fleetForEachTest();

describe("a load from three agents", () => {
  it("offers each arrival of three rates once, and its record verifies", async () => {
    for (const machine of ["one", "two", "three"]) fleet.start(machine);
    await inTemporaryFolder(async (folder) => {
      const { record } = await fleet.load(3, folder);
      expect(record).toMatchObject({
        status: "complete",
        target: { kind: "endpoint", model: "m" },
      });
      const steps = await expectWhole(folder);
      expect(steps.map(({ shards }) => shards)).toEqual([3, 3, 3]);
      const completed = steps.map(({ stages }) => totalsOf(stages).completed);
      const sum = completed.reduce((total, each) => total + each, 0);
      // One trial for each shard of a step.
      expect(fleet.requests).toHaveLength(sum + 9);
      // Nothing of it is left but its manifests, which expire.
      const keys = await fleet.redis.client().keys("streamgauge:*");
      expect(keys.filter((key) => /:(start|shards|chunk):/.test(key))).toEqual([]);
    });
  });

  it("offers the same as one machine does", async () => {
    for (const machine of ["one", "two", "three"]) fleet.start(machine);
    const offeredBy = async (count: number): Promise<unknown> =>
      await inTemporaryFolder(async (folder) => {
        const { record } = await fleet.load(count, folder, {
          offer: { kind: "ramp", perSecond: [10, 60, 20], seconds: 0.4 },
        });
        return record.steps.map(({ schedule, stages }) => [
          schedule,
          stages.map(({ offered, completed, outputTokens }) => [offered, completed, outputTokens]),
        ]);
      });
    const three = await offeredBy(3);
    await fleet.agents[1]?.kill();
    await fleet.agents[2]?.kill();
    expect(await offeredBy(1)).toEqual(three);
  });

  it("loads the generator of a module that all have", async () => {
    for (const machine of ["one", "two"]) fleet.start(machine);
    await inTemporaryFolder(async (folder) => {
      const url = moduleUrl("tiny.bench.mjs");
      await fleet.load(2, folder, {
        target: { kind: "module", url },
        offer: { kind: "rates", perSecond: [50], seconds: 0.5 },
      });
      const [step] = await expectWhole(folder);
      expect(step?.shards).toBe(2);
    });
  });
});

describe("a step whose shard is lost", () => {
  it("is offered again whole, by those that are left where the user says so", async () => {
    const [first] = [fleet.start("one"), fleet.start("two")];
    await inTemporaryFolder(async (folder) => {
      const { onProgress, sending } = whenSending();
      const offer = { kind: "rates", perSecond: [20], seconds: 4 } as const;
      const running = fleet.load(2, folder, { onProgress, offer, ifLost: "go-on" });
      await sending;
      await first.kill();
      const { record } = await running;
      expect(record.status).toBe("complete");
      const steps = await expectWhole(folder);
      expect(steps.map(({ shards }) => shards)).toEqual([1]);
    });
  });

  it("waits for another machine otherwise", async () => {
    const [first] = [fleet.start("one"), fleet.start("two")];
    await inTemporaryFolder(async (folder) => {
      const { onProgress, sending } = whenSending();
      const offer = { kind: "rates", perSecond: [20], seconds: 4 } as const;
      const running = fleet.load(2, folder, { onProgress, offer });
      await sending;
      await first.kill();
      fleet.start("three");
      await running;
      const steps = await expectWhole(folder);
      expect(steps.map(({ shards }) => shards)).toEqual([2]);
    });
  });
});

describe("a step that is ended early", () => {
  it("is kept as far as it came, where the load is ended", async () => {
    for (const machine of ["one", "two"]) fleet.start(machine);
    await inTemporaryFolder(async (folder) => {
      const { onProgress, sending } = whenSending();
      const controller = new AbortController();
      const offer = { kind: "rates", perSecond: [20, 20], seconds: 60 } as const;
      const running = fleet.load(2, folder, { onProgress, offer, signal: controller.signal });
      await sending;
      controller.abort();
      const { record } = await running;
      expect(record.status).toBe("interrupted");
      expect(record.steps.map(({ status, verdict, shards }) => [status, verdict, shards])).toEqual([
        ["interrupted", null, 2],
      ]);
      await expectVerified(folder);
      const { offered, arrived, completed } = totalsOf(record.steps[0]?.stages ?? []);
      expect(completed).toBeGreaterThan(0);
      expect(arrived).toBeLessThan(offered);
      // The agents are there for the next.
      const next = join(folder, "next");
      await fleet.load(2, next, { offer: { kind: "rates", perSecond: [20], seconds: 0.5 } });
      await expectWhole(next);
    });
  });

  it("is not in the record where a machine does not say what it sent", async () => {
    const [one] = [fleet.start("one"), fleet.start("two")];
    await inTemporaryFolder(async (folder) => {
      const { onProgress, sending } = whenSending();
      const controller = new AbortController();
      const offer = { kind: "rates", perSecond: [20], seconds: 60 } as const;
      const running = fleet.load(2, folder, { onProgress, offer, signal: controller.signal });
      await sending;
      await one.kill();
      controller.abort();
      expect((await running).record).toMatchObject({ status: "interrupted", steps: [] });
    });
  });

  it("ends a step of a search once its outcome is sure, by the counts of all machines", async () => {
    await fleet.answer((response, seen) =>
      // The load asks for two tokens. A machine that opens the endpoint asks for more.
      (seen.body["max_tokens"] === 2 ? json("{}", 503) : answering)(response, seen),
    );
    for (const machine of ["one", "two"]) fleet.start(machine);
    await inTemporaryFolder(async (folder) => {
      const controller = new AbortController();
      const running = fleet.load(2, folder, {
        offer: { kind: "find", startPerSecond: 30, seconds: 60 },
        objective: { limits: { timeToFirstToken: 60e9 }, share: 0.99 },
        signal: controller.signal,
        onProgress: ({ subject }) => {
          if (subject.startsWith("step 2")) controller.abort();
        },
      });
      await running;
      const { steps } = await expectVerified(folder);
      const [step] = steps;
      expect(step).toMatchObject({ status: "decided", verdict: "missed", shards: 2 });
      const { offered, arrived, failed } = totalsOf(step?.stages ?? []);
      // 1 % of 1,800 may fail, however many of them.
      expect(failed).toBeGreaterThan(18);
      expect(arrived).toBeLessThan(offered);
    });
  });
});

describe("a load that cannot be offered", () => {
  it("names the machine and the reason", async () => {
    fleet.start("one", { endpoint: { url: "http://127.0.0.1:9/v1" } });
    await inTemporaryFolder(async (folder) => {
      const url = "http://127.0.0.1:9/v1";
      const target = { ...fleet.target, url, host: "127.0.0.1:9" };
      await expect(fleet.load(1, folder, { target })).rejects.toMatchObject({
        code: "PART_FAILED",
        message: expect.stringMatching(/lab \(one\): .*127\.0\.0\.1:9/) as string,
      });
    });
  });

  it("waits for agents that may load the endpoint, and says why the others may not", async () => {
    fleet.start("one", { endpoint: undefined });
    await inTemporaryFolder(async (folder) => {
      const controller = new AbortController();
      let said = "";
      await expect(
        fleet.load(1, folder, {
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
    fleet.start("one");
    fleet.start("two");
    await inTemporaryFolder(async (folder) => {
      const target = { ...fleet.target, keyEnv: "KEY" };
      await expect(fleet.load(1, folder, { target })).rejects.toThrow(
        /give --key-env to streamgauge agent/,
      );
      await expect(fleet.load(2, folder, { maxConcurrency: 1 })).rejects.toThrow(/give at least 2/);
    });
  });
});
