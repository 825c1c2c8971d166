import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { coordinate, type CoordinatorOptions } from "@streamgauge/fleet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectWhole, inTemporaryFolder, tinyRun } from "./fleet-run.js";
import {
  childrenOf,
  coordinatorTimings,
  moduleUrl,
  startAgent,
  startCoordinator,
  type TestAgent,
} from "./processes.js";
import { startRedis, type TestRedis } from "./redis-server.js";

let redis: TestRedis;
let agents: TestAgent[] = [];

beforeEach(async () => {
  redis = await startRedis();
  agents = [];
});

afterEach(async () => {
  await Promise.all(agents.map((agent) => agent.kill()));
  await redis.remove();
});

function start(machine: string, options: object = {}): TestAgent {
  const agent = startAgent({ redis: redis.url, label: "lab", machine, ...options });
  agents.push(agent);
  return agent;
}

function target(count: number): CoordinatorOptions {
  return { redis: redis.url, agents: count, timings: coordinatorTimings };
}

const measuring = ({ kind }: { readonly kind: string }): boolean => kind === "measuring";

/**
 * Runs it, does something meanwhile, and expects a whole record in spite of it.
 *
 * @returns the statuses of the classes, and what is missing
 */
async function runWith(count: number, fault: () => Promise<void>): Promise<readonly string[]> {
  return await inTemporaryFolder(async (outputFolder) => {
    const running = coordinate({ ...tinyRun, outputFolder }, target(count));
    const [{ classes, missing }] = await Promise.all([running, fault()]);
    for (const { machineClass } of classes) await expectWhole(join(outputFolder, machineClass));
    return [...classes.map(({ record }) => record.status), ...missing];
  });
}

describe("a run on two agents is whole", () => {
  it("after an agent is killed while it measures", async () => {
    const [first] = [start("one"), start("two")];
    const outcome = await runWith(2, async () => {
      await first.line(measuring);
      await first.kill();
    });
    expect(outcome).toEqual(["complete"]);
  });

  it.skipIf(process.platform !== "linux")("after a process that measures is killed", async () => {
    const [first] = [start("one"), start("two")];
    const outcome = await runWith(2, async () => {
      await first.line(measuring);
      let children: number[] = [];
      while (children.length === 0) {
        await pause(5);
        children = childrenOf(first.child.pid ?? 0);
      }
      for (const child of children) process.kill(child, "SIGKILL");
      await first.line(({ kind }) => kind === "failed");
    });
    expect(outcome).toEqual(["complete"]);
  });

  it("after Redis is killed, and starts again with what it wrote", async () => {
    const [first] = [start("one"), start("two")];
    const outcome = await runWith(2, async () => {
      await first.line(({ kind }) => kind === "done");
      await redis.kill();
      await redis.start();
    });
    expect(outcome).toEqual(["complete"]);
  });

  it("after Redis lost all that it held", async () => {
    const [first] = [start("one"), start("two")];
    const outcome = await runWith(2, async () => {
      await first.line(({ kind }) => kind === "done");
      await redis.client().flushall();
    });
    expect(outcome).toEqual(["complete"]);
  });

  it("after an agent is stopped for longer than it may keep a part, and goes on", async () => {
    const [first, second] = [start("one"), start("two")];
    const outcome = await runWith(2, async () => {
      const { text } = await first.line(measuring);
      first.signal("SIGSTOP");
      // Its part is the other's by then.
      await second.line((line) => measuring(line) && line.text === text);
      first.signal("SIGCONT");
    });
    expect(outcome).toEqual(["complete"]);
  });

  it("after an agent is told to end while it measures", async () => {
    const [first] = [start("one"), start("two")];
    const outcome = await runWith(2, async () => {
      await first.line(measuring);
      first.signal("SIGTERM");
      expect(await first.ended).toBe(0);
    });
    expect(outcome).toEqual(["complete"]);
  });

  it("where one has no room for what it measures", async () => {
    const [first] = [start("one", { spoolFolder: moduleUrl("nowhere") }), start("two")];
    const outcome = await runWith(2, async () => {
      const { text } = await first.line(({ kind }) => kind === "error");
      expect(text).toMatch(/AGENT_STORAGE: .*--spool/);
      expect(await first.ended).toBe(1);
    });
    expect(outcome).toEqual(["complete"]);
  });
});

it("a coordinator that is killed loses nothing: the run goes on with --resume", async () => {
  const [first] = [start("one")];
  await inTemporaryFolder(async (outputFolder) => {
    const coordinator = startCoordinator({ ...tinyRun, outputFolder }, target(1));
    // Two are measured, and it has taken one of them at most.
    await first.line(({ kind }) => kind === "done");
    await first.line((line) => measuring(line) && line.text.endsWith(".1.0"));
    await coordinator.kill();
    await first.line((line) => line.kind === "done" && line.text.endsWith(".2.0"));
    const { modules, claims } = tinyRun;
    const { classes } = await coordinate({ resume: outputFolder, modules, claims }, target(1));
    expect(classes).toHaveLength(1);
    await expectWhole(join(outputFolder, classes[0]?.machineClass ?? ""));
    // Nothing was measured twice.
    const done = first.lines.filter(({ kind }) => kind === "done").map(({ text }) => text);
    expect(done).toHaveLength(8);
    expect(new Set(done).size).toBe(8);
  });
});

it("a class whose last machine is gone is named, and the others go on where the user says so", async () => {
  const lost = start("one", { label: "lost" });
  start("two");
  await inTemporaryFolder(async (outputFolder) => {
    const running = coordinate({ ...tinyRun, outputFolder }, { ...target(2), ifLost: "go-on" });
    await lost.line(measuring);
    await lost.kill();
    const { classes } = await running;
    const [kept, gone] = [
      classes.find(({ label }) => label === "lab"),
      classes.find(({ label }) => label === "lost"),
    ];
    expect(kept?.record.status).toBe("complete");
    expect(gone?.record.status).toBe("interrupted");
    expect(gone?.missing.join(" ")).toMatch(/No agent of lost .* is left; gone: one\..*--resume/);
  });
});

it("a part that fails wherever it is tried ends the run with the reason", async () => {
  const modules = [moduleUrl("broken.bench.mjs")];
  start("one", { modules });
  await inTemporaryFolder(async (outputFolder) => {
    const options = { ...tinyRun, modules, scenarios: ["broken"], outputFolder };
    const { classes } = await coordinate(options, target(1));
    expect(classes[0]?.record.status).toBe("interrupted");
    expect(classes[0]?.missing.join(" ")).toMatch(/lab \(one\): There is no engine in here\./);
  });
});
