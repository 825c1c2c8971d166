import { StreamgaugeError } from "@streamgauge/core";
import type { EnginePromise, Contender, ContenderRun } from "./engine-measurement.js";
import { speedupClaim } from "./engine-measurement.js";
import type { EngineDtype, EngineModel } from "./engine-model.js";
import { findLlama, llamaName, openLlama } from "./llama-engine.js";
import type { Keep } from "../../plan/opened.js";
import { ownName } from "./own-engine.js";
import { openPeer, peerName, type Peer } from "./peer-engine.js";
import { ggufTerm, runtimeVersions } from "./terms.js";

/** An engine that ours is compared with. */
export type RivalName = typeof peerName | typeof llamaName;

/** A rival that runs a second time in each block, against itself. */
export function again(name: RivalName): string {
  return `${name} again`;
}

/** What is promised of the tokens/s against each rival; those without a promise are only shown. */
export type LeastSpeedups = Readonly<Partial<Record<RivalName, number>>>;

/** The claims about {@link LeastSpeedups}, each with the rival against itself as its control. */
export function speedupClaims(least: LeastSpeedups): EnginePromise[] {
  return Object.entries(least).map(([name, factor]) =>
    speedupClaim(factor, ownName, name, again(name as RivalName)),
  );
}

/** How {@link openRivals} opens all of them. */
export interface RivalSettings {
  readonly dtype: EngineDtype;
  /** Undefined for each one's own default. */
  readonly threads: number | undefined;
  readonly spinning: boolean;
  /** Ids and tokens of the longest generation. */
  readonly contextTokens: number;
}

/** The rivals that could be opened. */
export interface Rivals {
  readonly peers: readonly Peer[];
  /** Names of those that are not installed. */
  readonly leftOut: readonly string[];
  /** Versions, and what was left out and why. Sentences. */
  readonly terms: readonly string[];
}

/**
 * Opens rivals on the model. llama.cpp is left out where its package is not installed.
 *
 * @param keep closes them
 * @throws StreamgaugeError `ENGINE_FAILED` where nobody is left, or one does not load the model
 */
export async function openRivals(
  names: readonly RivalName[],
  model: EngineModel,
  { dtype, threads, spinning, contextTokens }: RivalSettings,
  keep: Keep,
): Promise<Rivals> {
  const there = names.includes(llamaName) ? await findLlama() : undefined;
  const missing = there !== undefined && "whyNot" in there ? there.whyNot : undefined;
  if (missing !== undefined && names.length === 1) {
    throw new StreamgaugeError("ENGINE_FAILED", missing);
  }
  const terms = [await runtimeVersions(names.includes(peerName))];
  const peers: Peer[] = [];
  for (const name of names) {
    if (name === peerName) {
      const own = threads === undefined ? undefined : { threads, spinning };
      peers.push(keep(await openPeer(model.folder, dtype, own)));
    } else if (there !== undefined && "versions" in there) {
      const file = await model.ggufFile(dtype);
      peers.push(keep(await openLlama(file, { threads: threads ?? 0, contextTokens })));
      terms.push(ggufTerm(dtype), there.versions);
    }
  }
  if (missing !== undefined) terms.push(missing);
  return {
    peers,
    leftOut: missing === undefined ? [] : [llamaName, again(llamaName)],
    terms,
  };
}

/**
 * The contenders of rivals. Ids of one that rounds in its own way are not held against ours.
 *
 * @param twice those that run again
 */
export function rivalContenders(
  { peers }: Rivals,
  twice: readonly string[],
  work: (peer: Peer) => Promise<ContenderRun>,
): Contender[] {
  return peers.flatMap((peer) => {
    const run = async (): Promise<ContenderRun> => {
      const { ids, ...rest } = await work(peer);
      return peer.makesOurIds && ids !== undefined ? { ...rest, ids } : rest;
    };
    const one = { name: peer.name, run };
    return twice.includes(peer.name) ? [one, { name: again(peer.name), run }] : [one];
  });
}
