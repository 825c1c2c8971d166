/**
 * Explores every order in which the two sides of a ring can take their steps. A
 * step is one atomic operation, or the plain slot accesses between two of them.
 * Orders that lead to the same state are followed once.
 */
import {
  consumerAsleepWord,
  headWord,
  sleepState,
  stopWord,
  tailWord,
} from "../../src/ring/layout.js";
import { LogTree, type LogNode } from "./log-tree.js";
import { Memory } from "./memory.js";
import type { Entry, Operation, Side } from "./run.js";

/** Two programs over one ring, and what may happen to them. */
export interface Scenario {
  readonly capacity: number;
  readonly producer: () => Side;
  /** Takes the event "lost" when its host declares the producer lost, and "stop". */
  readonly consumer: () => Side;
  /** The producer may die before any of its steps; its host then says so. */
  readonly producerMayDie?: boolean;
  /** How often a stop may come while the consumer's thread waits for events. */
  readonly stops?: number;
  /** How often a blocking wait may time out. */
  readonly timeouts?: number;
  /** Looks at the values that the programs returned; throws when they are wrong. */
  readonly checkEnd: (end: {
    readonly producer: unknown;
    readonly consumer: unknown;
    readonly producerDied: boolean;
    /** Slots that became visible. */
    readonly publishedSlots: number;
  }) => void;
}

export interface Exploration {
  readonly states: number;
  readonly ends: number;
  readonly interleavings: bigint;
}

/** Sleeps on no word. */
const awake = -1;
/** Was notified, but its thread has not come to it yet. */
const woken = -2;

type Role = "producer" | "consumer";
/** What one side did, or what happened to it. */
type Step = readonly [Role, Operation | string];

interface State {
  readonly memory: Memory;
  readonly producer: LogNode;
  readonly consumer: LogNode;
  /** The words that the sides sleep on; see {@link awake} and {@link woken}. */
  readonly producerWaitsOn: number;
  readonly consumerWaitsOn: number;
  readonly producerDied: boolean;
  readonly lostDeclared: boolean;
  readonly messages: number;
  readonly sleepsWithoutMessage: number;
  readonly stopsLeft: number;
  readonly timeoutsLeft: number;
  readonly publishedSinceStop: number;
}

/** @throws Error that names the steps to the first state in which something is wrong */
export async function explore(scenario: Scenario): Promise<Exploration> {
  return await new Explorer(scenario).run();
}

class Explorer {
  readonly #scenario: Scenario;
  readonly #visited = new Map<string, bigint>();
  readonly #path: Step[] = [];
  readonly #logs: Readonly<Record<Role, LogTree>>;
  readonly #contents = new Map<string, number>();
  #ends = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    const { producer, consumer } = scenario;
    this.#logs = { producer: new LogTree(producer), consumer: new LogTree(consumer) };
  }

  async run(): Promise<Exploration> {
    const { capacity, stops = 0, timeouts = 0 } = this.#scenario;
    const interleavings = await this.#follow({
      memory: Memory.ofRing(capacity),
      producer: this.#logs.producer.root,
      consumer: this.#logs.consumer.root,
      producerWaitsOn: awake,
      consumerWaitsOn: awake,
      producerDied: false,
      lostDeclared: false,
      messages: 0,
      sleepsWithoutMessage: 0,
      stopsLeft: stops,
      timeoutsLeft: timeouts,
      publishedSinceStop: 0,
    });
    return { states: this.#visited.size, ends: this.#ends, interleavings };
  }

  /** The number of interleavings from this state to an end. */
  async #follow(reached: State): Promise<bigint> {
    const { producer, consumer, memory } = reached;
    if (producer.next === undefined) await this.#logs.producer.discover(producer, memory);
    if (consumer.next === undefined) await this.#logs.consumer.discover(consumer, memory);
    const state = { ...reached, producer: producer.same, consumer: consumer.same };
    const key = this.#keyOf(state);
    const known = this.#visited.get(key);
    if (known !== undefined) return known;
    this.#checkState(state);
    let interleavings = 0n;
    for (const [step, take] of this.#steps(state)) {
      this.#path.push(step);
      const next = take();
      interleavings += await this.#follow(next instanceof Promise ? await next : next);
      this.#path.pop();
    }
    if (interleavings === 0n) {
      this.#checkEnd(state);
      this.#ends += 1;
      interleavings = 1n;
    }
    this.#visited.set(key, interleavings);
    return interleavings;
  }

  *#steps(state: State): Generator<[Step, () => Promise<State> | State]> {
    const { producerDied } = state;
    if (!producerDied) {
      yield* this.#ownSteps("producer", state);
      if (this.#scenario.producerMayDie === true && nextOf(state.producer).kind !== "done") {
        yield [["producer", "dies"], () => ({ ...state, producerDied: true })];
      }
    }
    yield* this.#ownSteps("consumer", state);
    yield* this.#consumersEvents(state);
  }

  *#ownSteps(role: Role, state: State): Generator<[Step, () => Promise<State> | State]> {
    const next = nextOf(state[role]);
    const waitsOn = state[`${role}WaitsOn`];
    const isBlocked = next.kind === "wait" && waitsOn >= 0;
    if (!hasStopped(next) && !isBlocked) {
      yield [[role, next], () => this.#step(role, state)];
    }
    if (next.kind === "idle" && waitsOn === woken) {
      const change = { [`${role}WaitsOn`]: awake };
      yield [[role, "wakes up"], () => this.#event(role, "woken", state, change)];
    }
  }

  *#consumersEvents(state: State): Generator<[Step, () => State]> {
    const next = nextOf(state.consumer);
    const { consumerWaitsOn, timeoutsLeft, messages, stopsLeft } = state;
    const event = (name: string, change: Partial<State>): [Step, () => State] => [
      ["consumer", name],
      () => this.#event("consumer", name, state, change),
    ];
    const mustDeclare = state.producerDied && !state.lostDeclared;
    // A doze always ends too. But nothing may depend on that: where the producer can do
    // no more by itself, the consumer has been told, or it counts as asleep for ever.
    const mayDoze = this.#canGoOn(state);
    if (next.kind === "wait" && consumerWaitsOn >= 0) {
      const isDoze = next.value === sleepState.dozing;
      // A slice always ends; where nothing else can help, as often as it takes.
      if (timeoutsLeft > 0 || mustDeclare || (isDoze && mayDoze)) {
        const left = isDoze ? timeoutsLeft : Math.max(0, timeoutsLeft - 1);
        yield event("timed-out", { consumerWaitsOn: awake, timeoutsLeft: left });
      }
    }
    if (next.kind !== "idle") return;
    if (next.isDozing && mayDoze) yield event("tick", {});
    if (mustDeclare) yield event("lost", { lostDeclared: true });
    else if (next.isTurning) yield event("turn", {});
    if (messages > 0) yield event("message", { messages: messages - 1 });
    if (stopsLeft > 0) yield event("stop", { stopsLeft: stopsLeft - 1 });
  }

  /** Whether the producer takes a step of its own yet, without being told anything. */
  #canGoOn({ producer, producerDied, producerWaitsOn }: State): boolean {
    const isWoken = nextOf(producer).kind === "idle" && producerWaitsOn === woken;
    return !producerDied && (isWoken || !hasStopped(nextOf(producer)));
  }

  #event(role: Role, event: string, state: State, change: Partial<State>): State {
    return { ...state, ...change, [role]: this.#logs[role].child(state[role], event) };
  }

  #step(role: Role, state: State): Promise<State> | State {
    const next = nextOf(state[role]);
    if (next.kind === "read" || next.kind === "write") return this.#plainStep(role, state);
    const changes = next.kind === "store" || next.kind === "exchange";
    const memory = changes ? state.memory.copy() : state.memory;
    const { header } = memory;
    const then = (result: Entry, change: Partial<State> = {}): State => ({
      ...state,
      memory,
      ...change,
      [role]: this.#logs[role].child(state[role], result),
    });
    switch (next.kind) {
      case "load":
        return then(header[next.word]);
      case "store":
        header[next.word] = next.value;
        return then(undefined, afterStore(next.word, next.value, state));
      case "exchange": {
        const before = header[next.word];
        if (before === next.expected) header[next.word] = next.value;
        return then(before);
      }
      case "notify":
        return this.#notify(role, next.word, state);
      case "post":
        return then(undefined, {
          messages: state.messages + 1,
          sleepsWithoutMessage: state.sleepsWithoutMessage - 1,
        });
      case "waitAsync":
        if (header[next.word] !== next.value) return then("not-equal");
        return then("async", { [`${role}WaitsOn`]: next.word });
      case "wait":
        if (header[next.word] !== next.value) return then("not-equal");
        return { ...state, [`${role}WaitsOn`]: next.word };
      default:
        throw new Error(`A side that is ${next.kind} takes no step.`);
    }
  }

  async #plainStep(role: Role, state: State): Promise<State> {
    const memory = state.memory.copy();
    let node = state[role];
    for (;;) {
      node = await this.#logs[role].discover(node, memory);
      const next = nextOf(node);
      if (next.kind !== "read" && next.kind !== "write") return { ...state, memory, [role]: node };
      node = this.#logs[role].child(node, memory.plain(next));
    }
  }

  /** Wakes who sleeps on the word: the other side, or the one that notifies, from an event. */
  #notify(role: Role, word: number, state: State): State {
    const sleeper = (["producer", "consumer"] as const).find(
      (side) => state[`${side}WaitsOn`] === word,
    );
    const then = {
      ...state,
      [role]: this.#logs[role].child(state[role], sleeper === undefined ? 0 : 1),
    };
    if (sleeper === undefined) return then;
    if (nextOf(state[sleeper]).kind !== "wait") return { ...then, [`${sleeper}WaitsOn`]: woken };
    return {
      ...then,
      [`${sleeper}WaitsOn`]: awake,
      [sleeper]: this.#logs[sleeper].child(state[sleeper], "ok"),
    };
  }

  #checkState({ memory, producer, consumer, ...state }: State): void {
    for (const { next } of [producer, consumer]) {
      if (next?.kind === "failed") this.#fail(String(next.error));
    }
    const filled = ((memory.header[headWord] ?? 0) - (memory.header[tailWord] ?? 0)) | 0;
    if (filled < 0 || filled > this.#scenario.capacity) this.#fail(`HEAD − TAIL is ${filled}`);
    if (state.publishedSinceStop > 1) this.#fail("the producer goes on after it was stopped");
    if (state.sleepsWithoutMessage < 0) this.#fail("two messages for one sleep");
  }

  #checkEnd({ memory, producer, consumer, producerDied }: State): void {
    const [producerEnd, consumerEnd] = [nextOf(producer), nextOf(consumer)];
    if (producerEnd.kind !== "done" && !producerDied) this.#fail("the producer sleeps for ever");
    if (consumerEnd.kind !== "done") this.#fail("the consumer sleeps for ever");
    const valueOf = (end: Operation): unknown => (end.kind === "done" ? end.value : undefined);
    try {
      this.#scenario.checkEnd({
        producer: valueOf(producerEnd),
        consumer: valueOf(consumerEnd),
        producerDied,
        publishedSlots: memory.header[headWord] ?? 0,
      });
    } catch (error) {
      this.#fail(String(error));
    }
  }

  #keyOf({ memory, producer, consumer, ...rest }: State): string {
    if (memory.contentId < 0) {
      const content = Buffer.from(memory.bytes).toString("latin1");
      memory.contentId = this.#contents.get(content) ?? this.#contents.size;
      this.#contents.set(content, memory.contentId);
    }
    let key = `${producer.id} ${consumer.id} ${memory.contentId}`;
    for (const value of Object.values(rest)) key += ` ${Number(value)}`;
    return key;
  }

  #fail(what: string): never {
    throw new Error(`${what}, after:\n  ${this.#path.map(show).join("\n  ")}`);
  }
}

function afterStore(word: number, value: number, state: State): Partial<State> {
  if (word === headWord && state.memory.header[stopWord] !== 0) {
    return { publishedSinceStop: state.publishedSinceStop + 1 };
  }
  if (word === consumerAsleepWord && value !== sleepState.awake) {
    return { sleepsWithoutMessage: state.sleepsWithoutMessage + 1 };
  }
  return {};
}

function nextOf({ next }: LogNode): Operation {
  if (next === undefined) throw new Error("This log was not run yet.");
  return next;
}

function hasStopped({ kind }: Operation): boolean {
  return kind === "idle" || kind === "done" || kind === "failed";
}

function show([role, what]: Step): string {
  return `${role} ${typeof what === "string" ? what : JSON.stringify(what).replaceAll('"', "")}`;
}
