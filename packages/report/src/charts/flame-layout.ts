import type { CallTree, CallTreeNode } from "@streamgauge/bench/record";

/** A call in a flame graph: callees stand on their caller, the largest first. */
export interface Bar {
  readonly node: CallTreeNode;
  /** Where it begins, and how wide it is: shares of the thread's busy time. */
  readonly from: number;
  readonly share: number;
  /** 0 for whoever was called by nobody. */
  readonly depth: number;
  /** With those that it called. */
  readonly microsecondsPerToken: number;
}

/** The calls of a thread that are as wide as a share of its busy time; each stands on its caller. */
export function barsOf({ nodes }: CallTree, leastShare: number): readonly Bar[] {
  const totals = totalsOf(nodes);
  const busy = nodes.reduce((sum, { selfMicrosecondsPerToken: self }) => sum + self, 0);
  // Where the next callee begins: of each node, and of those that nobody called.
  const next = new Map<number, number>([[-1, 0]]);
  const depths: number[] = [];
  return nodes
    .map((node, index) => {
      const from = next.get(node.caller) ?? 0;
      const microsecondsPerToken = totals[index] ?? 0;
      const share = busy === 0 ? 0 : microsecondsPerToken / busy;
      const depth = (depths[node.caller] ?? -1) + 1;
      next.set(node.caller, from + share);
      next.set(index, from);
      depths.push(depth);
      return { node, from, share, depth, microsecondsPerToken };
    })
    .filter(({ share }) => share >= leastShare);
}

/** What each node took with those that it called; callers come before them. */
function totalsOf(nodes: readonly CallTreeNode[]): number[] {
  const totals = nodes.map(({ selfMicrosecondsPerToken }) => selfMicrosecondsPerToken);
  for (const [index, { caller }] of [...nodes.entries()].toReversed()) {
    if (caller >= 0) totals[caller] = (totals[caller] ?? 0) + (totals[index] ?? 0);
  }
  return totals;
}
