import type { Memory } from "./memory.js";
import { Run, type Entry, type Operation, type Side } from "./run.js";

/** A log as a path in a tree, so that logs with a common beginning share it. */
export class LogNode {
  readonly id: number;
  readonly log: readonly Entry[];
  readonly children = new Map<Entry, LogNode>();
  /** What the side does next, once {@link LogTree.discover} has found out. */
  next: Operation | undefined;
  /** A node whose log led to the same state. */
  same: LogNode = this;

  constructor(id: number, log: readonly Entry[]) {
    this.id = id;
    this.log = log;
  }
}

/** All logs of one side that an exploration has come to. */
export class LogTree {
  readonly root: LogNode;
  readonly #side: () => Side;
  readonly #states = new Map<string, LogNode>();
  #nodes = 0;

  constructor(side: () => Side) {
    this.#side = side;
    this.root = this.#newNode([]);
  }

  child(node: LogNode, result: Entry): LogNode {
    let child = node.children.get(result);
    if (child === undefined) {
      child = this.#newNode([...node.log, result]);
      node.children.set(result, child);
    }
    return child;
  }

  /** Finds out what the side does after this log, and which other log led to the same state. */
  async discover(node: LogNode, memory: Memory): Promise<LogNode> {
    if (node.next !== undefined) return node.same;
    const { run, next } = await Run.until(this.#side, node.log, memory.copy());
    let last = node;
    for (const { operation, result } of run.fresh) {
      this.#identify(last, operation, run);
      last = this.child(last, result);
    }
    this.#identify(last, next, run);
    return node.same;
  }

  #identify(node: LogNode, next: Operation, run: Run): void {
    node.next ??= next;
    const value = next.kind === "done" ? JSON.stringify(next.value) : undefined;
    const state = run.checkpoints.get(node.log.length) ?? value;
    if (state === undefined) return;
    const name = `${next.kind} ${state}`;
    node.same = this.#states.get(name) ?? node;
    this.#states.set(name, node.same);
  }

  #newNode(log: readonly Entry[]): LogNode {
    this.#nodes += 1;
    return new LogNode(this.#nodes, log);
  }
}
