import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { expectWhole, inTemporaryFolder, tinyRun } from "./fleet-run.js";
import {
  agentTimings,
  childrenOf,
  moduleUrl,
  startAgent,
  startCoordinator,
  type TestAgent,
  type TestProcess,
} from "./processes.js";
import { startRedis, type TestRedis } from "./redis-server.js";

/** All of them take several minutes; a few are enough to see that the drill itself works. */
const faults = Number(process.env["STREAMGAUGE_FLEET_FAULTS"] ?? 4);
const seed = Number(process.env["STREAMGAUGE_FLEET_SEED"] ?? 1);

const kinds = [
  "kill an agent",
  "kill a process that measures",
  "kill the coordinator",
  "kill Redis",
  "stop an agent beyond its lock",
  "cut all connections",
  "stop Redis for a while",
  "fill the disk of an agent",
] as const;

/** Numbers in [0, 1) that follow from the seed: mulberry32 (public domain). */
function drawsFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const draw = drawsFrom(seed);

function pick<T>(values: readonly T[]): T {
  return values[Math.floor(draw() * values.length)] as T;
}

/** A fleet that is hurt. */
class Drill {
  readonly redis: TestRedis;
  readonly folder: string;
  readonly #agents = new Map<string, TestAgent>();
  #coordinator: TestProcess<never> | undefined;

  constructor(redis: TestRedis, folder: string) {
    this.redis = redis;
    this.folder = folder;
    for (const machine of ["one", "two", "three"]) this.#startAgent(machine);
  }

  /** Runs to the end; what is drawn happens meanwhile. Returns how many faults there were. */
  async run(most: number): Promise<number> {
    let done = 0;
    this.#startCoordinator();
    for (;;) {
      const coordinator = this.#coordinator as TestProcess<never>;
      const wait = pause(200 + 1500 * draw(), "fault" as const);
      const what = await Promise.race([coordinator.ended, wait]);
      if (what !== "fault") {
        if (what !== 0) throw new Error(`The coordinator ended with ${what}.`);
        return done;
      }
      if (done >= most) continue;
      await this.#hurt(pick(kinds));
      done += 1;
    }
  }

  async end(): Promise<void> {
    await this.#coordinator?.kill();
    await Promise.all([...this.#agents.values()].map((agent) => agent.kill()));
  }

  async #hurt(kind: (typeof kinds)[number]): Promise<void> {
    const [machine, agent] = pick([...this.#agents]);
    switch (kind) {
      case "kill an agent":
        await agent.kill();
        this.#startAgent(machine);
        return;
      case "kill a process that measures":
        for (const child of childrenOf(agent.child.pid ?? 0)) process.kill(child, "SIGKILL");
        return;
      case "kill the coordinator":
        await this.#coordinator?.kill();
        return this.#startCoordinator();
      case "kill Redis":
        await this.redis.kill();
        return await this.redis.start();
      case "stop an agent beyond its lock":
        agent.signal("SIGSTOP");
        await pause(agentTimings.lockMilliseconds + 500);
        agent.signal("SIGCONT");
        return;
      case "cut all connections":
        for (let times = 0; times < 20; times += 1) {
          await this.redis.client().call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        }
        return;
      case "stop Redis for a while":
        return await this.redis.pauseFor(agentTimings.watchdogMilliseconds + 500);
      case "fill the disk of an agent": {
        await agent.kill();
        // It ends with its next part, if there is one.
        const full = this.#startAgent(machine, { spoolFolder: moduleUrl("nowhere") });
        await Promise.race([full.ended, pause(agentTimings.watchdogMilliseconds)]);
        await full.kill();
        this.#startAgent(machine);
        return;
      }
      default:
        kind satisfies never;
    }
  }

  #startAgent(machine: string, options: { readonly spoolFolder?: string } = {}): TestAgent {
    const agent = startAgent({ redis: this.redis.url, label: "lab", machine, ...options });
    this.#agents.set(machine, agent);
    return agent;
  }

  #startCoordinator(): void {
    const { modules, claims } = tinyRun;
    const options = existsSync(join(this.folder, "fleet.json"))
      ? { resume: this.folder, modules, claims }
      : { ...tinyRun, outputFolder: this.folder };
    this.#coordinator = startCoordinator(options, { redis: this.redis.url, agents: 1 });
  }
}

it.skipIf(process.platform !== "linux")(
  `${faults} faults from the seed ${seed}: every run is whole, and nothing counts twice`,
  async () => {
    const redis = await startRedis();
    try {
      let left = faults;
      while (left > 0) {
        left -= await inTemporaryFolder(async (folder) => {
          const drill = new Drill(redis, folder);
          let done = 0;
          try {
            done = await drill.run(left);
          } finally {
            await drill.end();
          }
          const classes = (await readdir(folder, { withFileTypes: true })).filter((entry) =>
            entry.isDirectory(),
          );
          expect(classes).toHaveLength(1);
          for (const { name } of classes) await expectWhole(join(folder, name));
          return done;
        });
      }
    } finally {
      await redis.remove();
    }
  },
  60_000 + faults * 20_000,
);
