import type { CallTree, CallTreeNode } from "../record/index.js";
import {
  isBusy,
  visitNodes,
  type CpuProfile,
  type NodeTime,
  type Visit,
} from "./cpu-profile-nodes.js";
import { portablePath } from "./portable-path.js";

/** Nodes that are kept of a thread, not counting what stands for the others. */
const mostNodes = 120;
/** A node is kept if it has at least this share of the thread's time in and under it. */
const leastShare = 0.002;

type Place = Pick<CallTreeNode, "name" | "file" | "line" | "category">;

interface Sum {
  microseconds: number;
  samples: number;
}

/** A node while the tree grows. */
interface Branch {
  readonly place: Place;
  readonly callees: Map<string, Branch>;
  readonly self: Sum;
  /** With those that it called. */
  readonly total: Sum;
}

/** Stands for calls that are not kept. */
const restPlace: Place = { name: "(rest)", file: "", line: 0, category: "other" };

/**
 * The calls of one thread, over all of its profiles. Its size is bounded: the nodes
 * with the most time in and under them are kept.
 *
 * @param tokens made while the profiles were taken, all together
 */
export function callTreeOf(
  thread: string,
  profiles: readonly CpuProfile[],
  tokens: number,
): CallTree {
  const root = branchOf({ ...restPlace, name: "(root)" });
  for (const profile of profiles) addProfile(root, profile);
  const branches = sumUp(root);
  const kept = new Set(
    branches
      // A caller has at least the time of whom it calls, and comes first: it is kept, too.
      .toSorted((first, second) => second.total.microseconds - first.total.microseconds)
      .slice(0, mostNodes + 1)
      .filter(({ total }) => total.microseconds >= leastShare * root.total.microseconds),
  );
  const nodes: CallTreeNode[] = [];
  const add = (place: Place, caller: number, { microseconds, samples }: Sum): number => {
    const selfMicrosecondsPerToken = microseconds / tokens;
    return nodes.push({ caller, ...place, selfMicrosecondsPerToken, selfSamples: samples }) - 1;
  };
  const addCallees = ({ callees }: Branch, caller: number): void => {
    const rest: Sum = { microseconds: 0, samples: 0 };
    for (const callee of largestFirst(callees)) {
      if (kept.has(callee)) addCallees(callee, add(callee.place, caller, callee.self));
      else addTo(rest, callee.total);
    }
    if (rest.microseconds > 0) add(restPlace, caller, rest);
  };
  addCallees(root, -1);
  return { thread, nodes };
}

function branchOf(place: Place): Branch {
  const nothing: Sum = { microseconds: 0, samples: 0 };
  return { place, callees: new Map(), self: { ...nothing }, total: { ...nothing } };
}

function addProfile(root: Branch, profile: CpuProfile): void {
  const byId = new Map<number, Branch>();
  for (const visit of visitNodes(profile)) {
    const { id, callerId, frame, attribution, time } = visit;
    const isRoot = frame.functionName === "(root)" && frame.url === "";
    const caller = (callerId === undefined ? undefined : byId.get(callerId)) ?? root;
    const branch = isRoot ? root : calleeOf(caller, visit);
    byId.set(id, branch);
    if (time !== undefined && isBusy(attribution)) addTo(branch.self, time);
  }
}

function calleeOf({ callees }: Branch, { frame, attribution }: Visit): Branch {
  const { functionName, url, lineNumber } = frame;
  const place: Place = {
    name: functionName === "" ? "(anonymous)" : functionName,
    file: portablePath(url),
    line: url === "" ? 0 : lineNumber + 1,
    category: isBusy(attribution) ? attribution : "other",
  };
  const key = JSON.stringify(place);
  const known = callees.get(key);
  if (known !== undefined) return known;
  const branch = branchOf(place);
  callees.set(key, branch);
  return branch;
}

/** Every branch, callers before those whom they call, with its total. */
function sumUp(branch: Branch): Branch[] {
  const below = [...branch.callees.values()].flatMap(sumUp);
  addTo(branch.total, branch.self);
  for (const { total } of branch.callees.values()) addTo(branch.total, total);
  return [branch, ...below];
}

function addTo(sum: Sum, { microseconds, samples }: NodeTime): void {
  sum.microseconds += microseconds;
  sum.samples += samples;
}

/** Only those that anything was seen in. */
function largestFirst(callees: Branch["callees"]): Branch[] {
  return [...callees.values()]
    .filter(({ total }) => total.microseconds > 0)
    .toSorted((first, second) => second.total.microseconds - first.total.microseconds);
}
