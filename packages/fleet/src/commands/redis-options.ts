import { invalidOption } from "@streamgauge/core";
import type { Command } from "commander";
import { defaultPrefix } from "../redis/keys.js";

/** Where the address is when it is not given: a password in it is shown to nobody. */
const redisVariable = "STREAMGAUGE_REDIS";

/** What every command here is told. */
export interface RedisFlags {
  readonly redis?: string;
  readonly prefix: string;
}

/** Adds them to a command. */
export function addRedisFlags(command: Command): Command {
  return command
    .option(
      "--redis <address>",
      `as redis://host:6379, rediss:// for TLS (default: $${redisVariable})`,
    )
    .option("--prefix <text>", "what its keys begin with", defaultPrefix);
}

/** @throws StreamgaugeError `INVALID_OPTION` where nobody says where Redis is */
export function addressOf({ redis = process.env[redisVariable] }: RedisFlags): string {
  if (redis !== undefined && redis !== "") return redis;
  throw invalidOption(
    `Where is Redis? Give --redis redis://host:6379, or ${redisVariable} with it in the environment.`,
  );
}
