import { setTimeout as pause } from "node:timers/promises";
import {
  countArrivals,
  describeSchedule,
  earlyEndOf,
  portableMix,
  runLoad,
  schedulesOf,
  stageSeconds,
  type AskedStep,
  type LoadOnFleet,
  type LoadOptions,
  type LoadOutcome,
  type LoadPlan,
  type LoadTarget,
  type OfferedStep,
  type OffererOptions,
  type StepOfferer,
  type TargetPlan,
} from "@streamgauge/bench/load";
import { watchEnvironment, type FleetTarget } from "@streamgauge/bench/parts";
import { invalidOption, StreamgaugeError } from "@streamgauge/core";
import { buildOf } from "../machines/machine-class.js";
import { hashModules } from "../machines/modules.js";
import type { AgentNotice } from "../messages/agent-notice.js";
import { mostShards, type ShardTarget } from "../messages/shard-job.js";
import { sha256Of } from "../parts/hash.js";
import { connect } from "../redis/connection.js";
import { keysOf } from "../redis/keys.js";
import { parseRedisAddress } from "../redis/redis-address.js";
import { within } from "../redis/within.js";
import { Announcement } from "./announcement.js";
import { look, type Search } from "./find-classes.js";
import { deliverMilliseconds, LoadAttempt } from "./load-attempt.js";
import { mergeShards } from "./merge-shards.js";
import { usualTimings, type CoordinatorTimings } from "./timings.js";

/** Longest wait for a server that may be away, for what is only tidy. */
const goodbyeMilliseconds = 2000;

/** A step that lost a shard so often is given up. */
const mostAttempts = 20;

/** A fleet, with timings of tests. */
export interface LoadFleetTarget extends FleetTarget {
  readonly timings?: Partial<CoordinatorTimings> | undefined;
}

/**
 * Offers a load from the agents that are there: shard k of N takes the arrivals i ≡ k (mod N), and all
 * begin at one moment of the Redis server's clock. A step whose shard is lost is void, and is offered
 * again whole.
 *
 * @throws StreamgaugeError as `runLoad`; `REDIS_FAILED`; `PART_FAILED` where an agent cannot offer its
 *   shard; `MACHINES_LOST`
 */
export const loadOnFleet: LoadOnFleet = async (options, target) => await offerLoad(options, target);

/** The same, with timings. */
export async function offerLoad(
  options: Omit<LoadOptions, "openOfferer">,
  target: LoadFleetTarget,
): Promise<LoadOutcome> {
  const timings = { ...usualTimings, ...target.timings };
  const asked = await targetOf(options.target);
  const mix = portableMix(options.mix);
  const { environment } = await watchEnvironment();
  const keys = keysOf(target.prefix);
  const redis = await connect(parseRedisAddress(target.redis));
  const announcement = new Announcement(redis, keys, timings.checkMilliseconds);
  const search: Omit<Search, "report"> = {
    redis,
    keys,
    build: buildOf(environment),
    modules: asked.kind === "module" ? [asked.sha256] : [],
    endpoint: asked.kind === "endpoint" ? asked.sha256 : undefined,
    pollMilliseconds: timings.pollMilliseconds,
    signal: options.signal,
  };
  try {
    await announcement.begin();
    return await runLoad({
      ...options,
      mix,
      openOfferer: async (plan, given) => {
        const offerer = new FleetOfferer({ plan, given, target, timings, asked, search });
        await offerer.open();
        return offerer;
      },
    });
  } finally {
    await within(goodbyeMilliseconds, announcement.end()).catch(() => undefined);
    redis.disconnect();
  }
}

/** What an offerer is made of. */
interface OffererParts {
  readonly plan: LoadPlan;
  readonly given: OffererOptions;
  readonly target: LoadFleetTarget;
  readonly timings: CoordinatorTimings;
  readonly asked: ShardTarget;
  readonly search: Omit<Search, "report">;
}

/** An attempt whose machines are ready. */
interface ReadyAttempt {
  readonly attempt: LoadAttempt;
  readonly target: LoadTarget;
}

class FleetOfferer implements StepOfferer {
  readonly #parts: OffererParts;
  /** The first attempt at the first step: it shows what is wrong before there is a record. */
  #first: ReadyAttempt | undefined;
  #target: LoadTarget | undefined;
  #step = 0;
  /** Attempts at the step. */
  #attempts = 0;

  constructor(parts: OffererParts) {
    this.#parts = parts;
  }

  get target(): LoadTarget {
    if (this.#target === undefined) throw new RangeError("The load has not been opened.");
    return this.#target;
  }

  /** @throws StreamgaugeError see {@link loadOnFleet} */
  async open(): Promise<void> {
    const [schedule] = schedulesOf(this.#parts.plan);
    if (schedule === undefined) throw new RangeError("A load has no step.");
    this.#first = await this.#prepare({ step: 0, schedule });
    if (this.#first === undefined) {
      throw new StreamgaugeError(
        "MACHINES_LOST",
        "The load was ended before its machines were ready: run it again.",
      );
    }
    this.#target = this.#first.target;
  }

  async offer(asked: AskedStep): Promise<OfferedStep | undefined> {
    const { plan, given, search } = this.#parts;
    const { signal } = search;
    const seconds = stageSeconds(asked.schedule).reduce((sum, each) => sum + each, 0);
    const subject = this.#subjectOf(asked);
    const report = (now: number): void =>
      given.report({
        subject: `${subject}, ${Math.round(now)} of ${seconds} s`,
        fractionDone: Math.min(1, now / seconds),
      });
    for (;;) {
      const ready = this.#first ?? (await this.#prepare(asked));
      this.#first = undefined;
      if (ready === undefined) return undefined;
      const { attempt } = ready;
      try {
        const running = attempt.run(report);
        const offered =
          (await within(Infinity, running, signal)) ??
          // What was sent is waited for, and a server that is away is not.
          (await within(deliverMilliseconds, running));
        if (offered !== undefined) {
          return await mergeShards(offered, asked, { plan, runId: given.runId });
        }
      } finally {
        await within(goodbyeMilliseconds, attempt.end());
      }
      if (signal?.aborted === true) return undefined;
      this.#requireAnother(attempt);
    }
  }

  async close(): Promise<void> {
    if (this.#first !== undefined) await within(goodbyeMilliseconds, this.#first.attempt.end());
  }

  /** Undefined after an abort. */
  async #prepare(asked: AskedStep): Promise<ReadyAttempt | undefined> {
    const { plan, given, asked: target, search, timings } = this.#parts;
    if (asked.step !== this.#step) [this.#step, this.#attempts] = [asked.step, 0];
    const subject = this.#subjectOf(asked);
    const report = (what: string): void =>
      given.report({ subject: `${subject}: ${what}`, fractionDone: 0 });
    const { mix, timeoutSeconds, maxConcurrency, objective } = plan;
    const endsEarly = earlyEndOf(plan);
    const limits = endsEarly === undefined ? null : (objective?.limits ?? null);
    const offered = countArrivals(asked.schedule);
    for (;;) {
      const agents = await this.#findAgents(report);
      if (agents.length === 0) return undefined;
      requireConcurrency(maxConcurrency, agents.length);
      const attempt = await LoadAttempt.begin({
        search: { ...search, report },
        target,
        runId: given.runId,
        step: asked.step,
        attempt: this.#attempts,
        agents,
        plan: { schedule: asked.schedule, mix, timeoutSeconds, maxConcurrency, limits },
        checkMilliseconds: timings.checkMilliseconds,
        // Drawn, so that of two loads that wait for each other one is first to give way.
        readyMilliseconds: timings.lostMilliseconds * (2 + Math.random()),
        // Of a shard that has said nothing yet no request was bad.
        isDecided:
          endsEarly &&
          ((shards) =>
            endsEarly([
              { offered, bad: 0, late: 0 },
              ...shards.map((counts) => ({ offered: 0, ...counts })),
            ])),
      });
      this.#attempts += 1;
      let opened: LoadTarget | undefined;
      try {
        opened = await within(Infinity, attempt.ready(), search.signal);
        if (opened !== undefined) return { attempt, target: opened };
      } finally {
        if (opened === undefined) await within(goodbyeMilliseconds, attempt.end());
      }
      if (search.signal?.aborted === true) return undefined;
      this.#requireAnother(attempt);
    }
  }

  /**
   * As many as the user wants, or all that are there; after a loss also fewer, where the user says so.
   * None after an abort.
   */
  async #findAgents(report: (what: string) => void): Promise<readonly AgentNotice[]> {
    const { target, timings, search, given } = this.#parts;
    const { agents: wanted = 1, ifLost = "wait" } = target;
    const began = performance.now();
    for (;;) {
      const { suitable, refused } = await look(search);
      const free = suitable
        // One that has just given up a shard of ours takes the next.
        .filter(({ part }) => part === null || part.includes(`.load-${given.runId}.`))
        .slice(0, mostShards);
      if (free.length >= wanted) return free;
      const isLate = performance.now() - began >= timings.lostMilliseconds;
      if (ifLost === "go-on" && isLate && (this.#attempts > 0 || this.#step > 0)) {
        if (free.length > 0) return free;
        throw new StreamgaugeError(
          "MACHINES_LOST",
          "No agent is left that can offer the load. The steps before are kept: start agents, and run " +
            "the load again.",
        );
      }
      const others = refused.length === 0 ? "" : `; not these: ${refused.join("; ")}`;
      report(`waiting for agents, ${free.length} of ${wanted} are there${others}`);
      const { pollMilliseconds, signal } = search;
      await pause(pollMilliseconds, undefined, { signal }).catch(() => undefined);
      if (signal?.aborted === true) return [];
    }
  }

  #subjectOf({ step, schedule }: AskedStep): string {
    const again = this.#attempts > 1 && step === this.#step ? `, attempt ${this.#attempts}` : "";
    return `step ${step + 1}: ${describeSchedule(schedule)}${again}`;
  }

  #requireAnother({ reason }: LoadAttempt): void {
    if (this.#attempts < mostAttempts) return;
    throw new StreamgaugeError(
      "PART_FAILED",
      `Step ${this.#step + 1} of the load was offered ${mostAttempts} times, and lost a shard each ` +
        `time. The last time: ${reason}`,
    );
  }
}

function requireConcurrency(maxConcurrency: number | null, agents: number): void {
  if (maxConcurrency === null || maxConcurrency >= agents) return;
  throw invalidOption(
    `--max-concurrency is ${maxConcurrency}, and ${agents} machines share it: give at least ${agents}, ` +
      `or leave it out.`,
  );
}

/** What crosses of a target: hashes. */
async function targetOf(plan: TargetPlan): Promise<ShardTarget> {
  if (plan.kind === "module") {
    const [sha256] = (await hashModules([plan.url])).keys();
    return { kind: "module", sha256: sha256 ?? "", scenario: plan.scenario ?? null };
  }
  const { url, model, api, keyEnv } = plan;
  if (keyEnv !== undefined) {
    throw invalidOption(
      "The agents ask the endpoint, each with its own key: give --key-env to streamgauge agent, and " +
        "leave it out here.",
    );
  }
  return { kind: "endpoint", sha256: sha256Of(url), model, api };
}
