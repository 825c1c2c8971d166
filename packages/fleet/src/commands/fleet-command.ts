import { printable, printableJson } from "@streamgauge/core";
import { Command } from "commander";
import { cleanFleet } from "../operations/clean.js";
import { fleetStatus, statusLines } from "../operations/status.js";
import { connect, type Redis } from "../redis/connection.js";
import { keysOf, type FleetKeys } from "../redis/keys.js";
import { parseRedisAddress } from "../redis/redis-address.js";
import { addRedisFlags, addressOf, type RedisFlags } from "./redis-options.js";

/** The `fleet` command: looks at agents and runs, and cleans up. */
export function fleetCommand(): Command {
  const status = new Command("status")
    .description("Agents, runs and queues.")
    .option("--json", "as JSON")
    .action(async (flags: RedisFlags & { readonly json?: true }) => {
      const found = await withRedis(flags, fleetStatus);
      const text =
        flags.json === true
          ? printableJson(JSON.stringify(found, null, 2))
          : statusLines(found).map(printable).join("\n");
      process.stdout.write(`${text}\n`);
    });
  const clean = new Command("clean")
    .description("Take all that begins with the prefix out of Redis.")
    .option("--force", "also while agents or runs are there")
    .action(async (flags: RedisFlags & { readonly force?: true }) => {
      const force = flags.force === true;
      const removed = await withRedis(flags, (redis, keys) => cleanFleet(redis, keys, { force }));
      process.stdout.write(`${removed} keys are removed.\n`);
    });
  return new Command("fleet")
    .description("Look at the agents and runs of a fleet, or clean up after them.")
    .addCommand(addRedisFlags(status))
    .addCommand(addRedisFlags(clean));
}

async function withRedis<Result>(
  flags: RedisFlags,
  use: (redis: Redis, keys: FleetKeys) => Promise<Result>,
): Promise<Result> {
  const keys = keysOf(flags.prefix);
  const redis = await connect(parseRedisAddress(addressOf(flags)));
  try {
    return await use(redis, keys);
  } finally {
    redis.disconnect();
  }
}
