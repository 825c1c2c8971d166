import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type {
  AgentEvent,
  AgentOptions,
  AgentTimings,
  CoordinatorOptions,
  CoordinatorTimings,
} from "@streamgauge/fleet";

/** Short enough that a death is noticed while a test waits. */
export const agentTimings: AgentTimings = {
  pollMilliseconds: 50,
  beatMilliseconds: 200,
  goneMilliseconds: 2000,
  lockMilliseconds: 1500,
  stalledMilliseconds: 300,
  watchdogMilliseconds: 3000,
  stopMilliseconds: 1000,
};

export const coordinatorTimings: CoordinatorTimings = {
  pollMilliseconds: 50,
  checkMilliseconds: 300,
  lostMilliseconds: 3000,
};

/** A module of this folder, as a file URL. */
export function moduleUrl(name: string): string {
  return new URL(name, import.meta.url).href;
}

/** The preload that makes the numbers of a process known. */
export const knownSamples: readonly string[] = ["--import", moduleUrl("known-samples.mjs")];

/** A program of this folder that runs beside the test, and says what happens in lines of JSON. */
export class TestProcess<Line> {
  readonly child: ChildProcess;
  readonly lines: Line[] = [];
  readonly #waiting = new Set<() => void>();
  readonly ended: Promise<number | null>;
  #hasEnded = false;

  constructor(
    program: string,
    options: readonly unknown[],
    {
      flags = [],
      env = {},
    }: { readonly flags?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {},
  ) {
    const path = fileURLToPath(new URL(program, import.meta.url));
    const given = options.map((one) => JSON.stringify(one));
    this.child = spawn(process.execPath, [...flags, path, ...given], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, ...env },
    });
    createInterface({ input: this.child.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
      this.#tell();
    });
    this.ended = once(this.child, "exit").then(([code]) => {
      this.#hasEnded = true;
      this.#tell();
      return code as number | null;
    });
  }

  /** The first line that is as asked; one that was written before counts too. */
  async line(isIt: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = this.lines.find(isIt);
      if (found !== undefined) return found;
      if (this.#hasEnded) throw new Error(`It ended, and said ${JSON.stringify(this.lines)}.`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends it at once, if it is there. */
  async kill(): Promise<void> {
    if (this.#hasEnded) return;
    this.child.kill("SIGKILL");
    await this.ended;
  }

  #tell(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export type TestAgent = TestProcess<
  Omit<AgentEvent, "kind"> & { readonly kind: AgentEvent["kind"] | "error" }
>;

/** An agent with short timings, and the tiny scenario. */
export function startAgent(options: AgentOptions, env: NodeJS.ProcessEnv = {}): TestAgent {
  const given = { modules: [moduleUrl("tiny.bench.mjs")], timings: agentTimings, ...options };
  return new TestProcess("agent-process.mjs", [given], { env });
}

/** A coordinator in a process of its own, with short timings. It says nothing. */
export function startCoordinator(
  options: object,
  target: Pick<CoordinatorOptions, "redis" | "agents">,
  env: NodeJS.ProcessEnv = {},
): TestProcess<never> {
  const given = { ...target, timings: coordinatorTimings };
  return new TestProcess("coordinator-process.mjs", [options, given], { env });
}

/** The processes that an agent has started to measure, by what Linux says. */
export function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // "pid (name) state parent …": the name can hold anything but ends with the last bracket.
      const [, parent] = /\) \w (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
      const isMeasuring = readFileSync(`/proc/${name}/cmdline`, "utf8").includes("process/entry");
      if (Number(parent) === pid && isMeasuring) children.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return children;
}
