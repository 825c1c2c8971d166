import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { measureInstrument, watchEnvironment } from "@streamgauge/bench/parts";
import { isStreamgaugeError, messageOf } from "@streamgauge/core";
import { buildOf, machineClassOf, machineName } from "../machines/machine-class.js";
import { hashModules } from "../machines/modules.js";
import { connect, type Redis } from "../redis/connection.js";
import { isShardJob } from "../messages/shard-job.js";
import { keysOf, type FleetKeys } from "../redis/keys.js";
import { parseRedisAddress } from "../redis/redis-address.js";
import { sha256Of } from "../parts/hash.js";
import type { Commit } from "../parts/upload-part.js";
import { Link, tookTooLong, type Linked } from "./link.js";
import { requireEndpoint, type AgentEndpoint } from "./agent-endpoint.js";
import { acceptPart, measurePart } from "./measure-part.js";
import type { MeasuringAgent } from "./measuring-agent.js";
import { acceptShard, offerShard } from "./offer-shard.js";
import { PartQueue, type TakenPart } from "./part-queue.js";
import { Presence } from "./presence.js";
import { usualTimings, type AgentTimings } from "./timings.js";

/** What an agent tells whoever started it. */
export interface AgentEvent {
  readonly kind: "ready" | "measuring" | "done" | "duplicate" | "failed" | "reconnected" | "ended";
  /** In a line. */
  readonly text: string;
}

/** How an agent is started. */
export interface AgentOptions {
  /** Address of the Redis server; its password is shown nowhere. */
  readonly redis: string;
  /** What its owner calls this kind of machine. Machines of two labels are never pooled. */
  readonly label: string;
  readonly prefix?: string | undefined;
  /** Name of this machine. Default: one that is made of the host's. */
  readonly machine?: string | undefined;
  /** File URLs of modules with scenarios that it may run. */
  readonly modules?: readonly string[] | undefined;
  /** The endpoint that it may load. Default: none. */
  readonly endpoint?: AgentEndpoint | undefined;
  /** Where raw samples lie until they are in Redis. Default: the system's temporary folder. */
  readonly spoolFolder?: string | undefined;
  /** Ends when there was nothing to measure for so long. Default: never. */
  readonly idleSeconds?: number | undefined;
  /** Flags of Node for the processes that measure. */
  readonly execArgv?: readonly string[] | undefined;
  /** Ends it after the current generation; its part is measured again elsewhere. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: AgentEvent) => void) | undefined;
  readonly timings?: Partial<AgentTimings> | undefined;
}

/**
 * Measures parts of runs, one at a time, each in a process of its own, until it is told to end.
 *
 * @returns how many parts it measured
 * @throws StreamgaugeError `REDIS_FAILED` where it cannot begin; `AGENT_PRESENT`; `AGENT_STORAGE`
 */
export async function runAgent(options: AgentOptions): Promise<number> {
  const agent = await Agent.start(options);
  return await agent.run();
}

class Agent {
  readonly #options: AgentOptions;
  readonly #timings: AgentTimings;
  readonly #keys: FleetKeys;
  readonly #presence: Presence;
  readonly #link: Link<PartQueue>;
  readonly #modules: ReadonlyMap<string, string>;
  readonly #ending = new AbortController();
  #failure: unknown;
  #isBeating = false;

  private constructor(from: {
    readonly options: AgentOptions;
    readonly timings: AgentTimings;
    readonly keys: FleetKeys;
    readonly presence: Presence;
    readonly link: Link<PartQueue>;
    readonly modules: ReadonlyMap<string, string>;
  }) {
    this.#options = from.options;
    this.#timings = from.timings;
    this.#keys = from.keys;
    this.#presence = from.presence;
    this.#link = from.link;
    this.#modules = from.modules;
  }

  static async start(options: AgentOptions): Promise<Agent> {
    const address = parseRedisAddress(options.redis);
    const keys = keysOf(options.prefix);
    const timings = { ...usualTimings, ...options.timings };
    const modules = await hashModules(options.modules ?? []);
    const { environment } = await watchEnvironment();
    const { label, machine = machineName(), endpoint } = options;
    if (endpoint !== undefined) requireEndpoint(endpoint);
    const machineClass = machineClassOf(label, environment);
    const presence = new Presence(keys, timings, {
      version: 1,
      machine,
      label,
      machineClass,
      build: buildOf(environment),
      modules: [...modules.keys()],
      endpoint: endpoint === undefined ? null : sha256Of(endpoint.url),
      session: randomUUID(),
      startedAt: new Date().toISOString(),
      part: null,
      partsDone: 0,
      environment,
      instrument: measureInstrument(),
    });
    const redis = await connect(address);
    try {
      await presence.begin(redis);
    } catch (error) {
      redis.disconnect();
      throw error;
    }
    const makeQueue = (client: Redis): PartQueue =>
      new PartQueue(client, keys, machineClass, timings);
    const link = new Link(address, redis, makeQueue, timings.watchdogMilliseconds);
    return new Agent({ options, timings, keys, presence, link, modules });
  }

  async run(): Promise<number> {
    const { signal } = this.#options;
    const end = (): void => this.#ending.abort();
    signal?.addEventListener("abort", end, { once: true });
    if (signal?.aborted === true) end();
    const beats = setInterval(() => void this.#beat(), this.#timings.beatMilliseconds);
    const { machine, label, machineClass } = this.#presence.notice;
    this.#tell("ready", `${label} (${machine}) waits for parts of ${machineClass}`);
    try {
      await this.#takeParts();
    } finally {
      clearInterval(beats);
      signal?.removeEventListener("abort", end);
      await this.#link.use(({ redis }) => this.#presence.end(redis)).catch(() => undefined);
      await this.#link.close();
    }
    if (this.#failure !== undefined) throw this.#failure;
    const { partsDone } = this.#presence.notice;
    this.#tell("ended", `${label} (${machine}) measured ${partsDone} parts`);
    return partsDone;
  }

  async #takeParts(): Promise<void> {
    const { idleSeconds = Infinity } = this.#options;
    const { pollMilliseconds, stalledMilliseconds } = this.#timings;
    let idleSince = performance.now();
    let recoveredAt = -Infinity;
    while (!this.#ending.signal.aborted) {
      if (performance.now() - recoveredAt >= stalledMilliseconds) {
        recoveredAt = performance.now();
        await this.#attempt(({ made }) => made.recover());
      }
      const taken = await this.#attempt(({ made }) => made.next());
      if (taken !== undefined) {
        await this.#handle(taken);
        idleSince = performance.now();
        continue;
      }
      if (performance.now() - idleSince >= 1000 * idleSeconds) return;
      await pause(pollMilliseconds, undefined, { signal: this.#ending.signal }).catch(
        () => undefined,
      );
    }
  }

  /** Something on the connection that is tried again at the next turn. */
  async #attempt<Result>(
    work: (linked: Linked<PartQueue>) => Promise<Result>,
  ): Promise<Result | undefined> {
    const before = this.#link.renewals;
    try {
      const outcome = await this.#link.use(work);
      if (this.#link.renewals !== before) {
        this.#tell("reconnected", "Redis did not answer: a new connection is made");
      }
      return outcome === tookTooLong ? undefined : outcome;
    } catch (error) {
      if (isStreamgaugeError(error)) throw error;
      this.#tell("reconnected", `Redis: ${messageOf(error)}`);
      return undefined;
    }
  }

  async #handle(taken: TakenPart): Promise<void> {
    const { part } = taken;
    const keeping = taken.keep();
    this.#presence.set({ part });
    await this.#beat();
    try {
      await this.#measure(taken);
    } finally {
      keeping.close();
      this.#presence.set({ part: null });
    }
  }

  async #measure(taken: TakenPart): Promise<void> {
    const { part, job } = taken;
    const measuring = this.#measuring();
    try {
      const before = await this.#attempt(({ redis }) => redis.get(this.#keys.manifest(part)));
      if (typeof before === "string") {
        this.#tell("duplicate", `${part} has been measured already`);
        await this.#report(taken.complete({ manifest: sha256Of(before) }));
        return;
      }
      const commit = await (isShardJob(job)
        ? this.#offer(measuring, part, job)
        : this.#measurePart(measuring, part, job));
      if (commit === undefined) {
        await this.#report(taken.giveBack());
        return;
      }
      const { isFirst, manifest } = commit;
      const { partsDone } = this.#presence.notice;
      if (isFirst) this.#presence.set({ partsDone: partsDone + 1 });
      this.#tell(isFirst ? "done" : "duplicate", part);
      await this.#report(taken.complete({ manifest }));
    } catch (error) {
      await this.#reportFailure(taken, error);
    }
  }

  async #measurePart(
    measuring: MeasuringAgent,
    part: string,
    job: unknown,
  ): Promise<Commit | undefined> {
    const asked = acceptPart(measuring, part, job);
    this.#tell("measuring", part);
    return await measurePart(measuring, part, asked);
  }

  async #offer(measuring: MeasuringAgent, name: string, job: unknown): Promise<Commit | undefined> {
    const asked = acceptShard(measuring, name, job);
    this.#tell("measuring", name);
    return await offerShard(measuring, name, asked);
  }

  async #reportFailure(taken: TakenPart, error: unknown): Promise<void> {
    const { label, machine } = this.#presence.notice;
    const reason = `${label} (${machine}): ${messageOf(error)}`;
    this.#tell("failed", `${taken.part}: ${messageOf(error)}`);
    const isLasting = isStreamgaugeError(error) && !isPassing(error.code);
    await this.#report(isLasting ? taken.fail(reason) : taken.retry(reason));
    if (!isStreamgaugeError(error, "AGENT_STORAGE")) return;
    // It would take one part after the other, and measure none.
    this.#failure = error;
    this.#ending.abort();
  }

  /** What counts is the manifest: a report that is lost is made up for by whoever waits for it. */
  async #report(moved: Promise<void>): Promise<void> {
    await this.#attempt(() => moved);
  }

  async #beat(): Promise<void> {
    // While the server is away, one sign of life waits for it, and not one for every interval.
    if (this.#isBeating) return;
    this.#isBeating = true;
    try {
      await this.#attempt(({ redis }) => this.#presence.beat(redis));
    } catch (error) {
      this.#failure = error;
      this.#ending.abort();
    } finally {
      this.#isBeating = false;
    }
  }

  #measuring(): MeasuringAgent {
    const { spoolFolder, execArgv, endpoint } = this.#options;
    return {
      keys: this.#keys,
      redis: () => this.#link.redis,
      notice: this.#presence.notice,
      modules: this.#modules,
      endpoint,
      spoolFolder,
      execArgv,
      stopMilliseconds: this.#timings.stopMilliseconds,
      signal: this.#ending.signal,
    };
  }

  #tell(kind: AgentEvent["kind"], text: string): void {
    this.#options.onEvent?.({ kind, text });
  }
}

/** Failures of a process or of this machine, which another try or another machine may not have. */
function isPassing(code: string): boolean {
  return code === "PROCESS_FAILED" || code === "AGENT_STORAGE";
}
