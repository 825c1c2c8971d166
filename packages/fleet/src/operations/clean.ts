import { invalidOption } from "@streamgauge/core";
import type { Redis } from "../redis/connection.js";
import type { FleetKeys } from "../redis/keys.js";
import { fleetStatus } from "./status.js";

/** Keys that the server is asked for at a time. */
const keysAtOnce = 1000;

/** After so long without a sign of life, a run's coordinator counts as gone. */
const goneMilliseconds = 60_000;

/**
 * Takes everything of a fleet out of Redis: what begins with its prefix, and nothing else.
 *
 * @param force also while agents or runs are there; they lose what they have not saved
 * @returns how many keys there were
 * @throws StreamgaugeError `INVALID_OPTION` while agents or runs are there, without `force`
 */
export async function cleanFleet(
  redis: Redis,
  keys: FleetKeys,
  { force }: { readonly force: boolean },
): Promise<number> {
  if (!force) await requireNobody(redis, keys);
  let removed = 0;
  let cursor = "0";
  do {
    // The prefix has no character that a pattern would read as one.
    const [next, found] = await redis.scan(
      cursor,
      "MATCH",
      `${keys.prefix}:*`,
      "COUNT",
      keysAtOnce,
    );
    if (found.length > 0) removed += await redis.unlink(found);
    cursor = next;
  } while (cursor !== "0");
  return removed;
}

async function requireNobody(redis: Redis, keys: FleetKeys): Promise<void> {
  const { agents, runs } = await fleetStatus(redis, keys);
  const going = runs.filter(
    ({ renewedAt }) => Date.now() - Date.parse(renewedAt) < goneMilliseconds,
  );
  if (agents.length === 0 && going.length === 0) return;
  throw invalidOption(
    `${agents.length} agents and ${going.length} runs are there, and would lose what they have not ` +
      `saved: end them first, or give --force.`,
  );
}
