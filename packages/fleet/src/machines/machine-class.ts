import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { Environment } from "@streamgauge/bench/parts";
import type { Build } from "../messages/words.js";

/** Memory of two machines of one kind differs by what their firmware keeps. */
const memoryStepBytes = 2 ** 29;

/**
 * What machines have to have in common to measure one record: what their owner calls them, CPU model,
 * cores, memory to half a GiB, operating system, and the versions of Node and of all that is measured.
 * As a name for a folder and a queue: "c7g-large-1a2b3c4d".
 */
export function machineClassOf(label: string, environment: Environment): string {
  const { cpuModel, logicalCores, memoryBytes, operatingSystem, nodeVersion } = environment;
  const identity = [
    label,
    cpuModel,
    logicalCores,
    Math.round(memoryBytes / memoryStepBytes),
    operatingSystem,
    nodeVersion,
    sortedEntries(environment.packages),
  ];
  return `${slug(label) || "machine"}-${shortHash(JSON.stringify(identity))}`;
}

/** The code that a machine runs. */
export function buildOf({ git, packages }: Environment): Build {
  return {
    commit: git?.commit ?? null,
    versions: Object.fromEntries(
      sortedEntries(packages).filter(([name]) => name.startsWith("@streamgauge/")),
    ),
  };
}

/**
 * How a machine's code differs from another's, in a phrase; undefined when it does not.
 *
 * @param theirs of the machine that the phrase is about
 */
export function otherBuild(theirs: Build, ours: Build): string | undefined {
  if (theirs.commit !== ours.commit) {
    return `it runs commit ${shown(theirs.commit)}, and this is ${shown(ours.commit)}`;
  }
  const names = new Set([...Object.keys(theirs.versions), ...Object.keys(ours.versions)]);
  for (const name of names) {
    const [there, here] = [theirs.versions[name] ?? null, ours.versions[name] ?? null];
    if (there !== here) return `it has ${name} ${shown(there)}, and this is ${shown(here)}`;
  }
  return undefined;
}

/** A name for this machine that is always the same, and does not show its own. */
export function machineName(): string {
  return `machine-${shortHash(hostname())}`;
}

function sortedEntries<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function shown(text: string | null): string {
  return text === null ? "unknown" : text.slice(0, 12);
}

function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 40);
}
