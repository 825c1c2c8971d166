import { messageOf, StreamgaugeError } from "@streamgauge/core";
import { Redis } from "ioredis";
import type { RedisAddress } from "./redis-address.js";

/** Redis's client, as this package uses it. */
export type { Redis };

/** What BullMQ asks for. */
const oldestVersion = [6, 2] as const;

/** Longest pause between two tries to reach a server that went away. */
const longestRetryMilliseconds = 2000;

/**
 * A client that connects by itself, and again when the connection is lost. Commands wait for it without
 * end: who must not wait for ever limits the wait itself.
 */
export function createClient({ url }: RedisAddress): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    // BullMQ needs it: a command waits for the server to come back.
    maxRetriesPerRequest: null,
    connectTimeout: 10_000,
    retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 10), longestRetryMilliseconds),
  });
  // Who waits for an answer hears of it; without a listener it would be printed.
  redis.on("error", () => undefined);
  return redis;
}

/**
 * Connects, and looks whether the server will do.
 *
 * @throws StreamgaugeError `REDIS_FAILED` naming the server, without user and password, and the remedy
 */
export async function connect(address: RedisAddress): Promise<Redis> {
  const redis = createClient(address);
  let lastError: unknown;
  redis.on("error", (error: unknown) => {
    lastError = error;
  });
  try {
    await redis.connect();
    requireSuitable(await redis.info(), address);
    return redis;
  } catch (error) {
    redis.disconnect();
    if (error instanceof StreamgaugeError) throw error;
    throw failed(
      address,
      `cannot be reached: ${messageOf(lastError ?? error)}. ${remedyFor(lastError ?? error)}`,
      error,
    );
  }
}

function remedyFor(error: unknown): string {
  if (/certificate/i.test(messageOf(error))) {
    return (
      "Give Node the certificate of whoever signed the server's: set NODE_EXTRA_CA_CERTS to its file, " +
      "here and for every agent."
    );
  }
  return 'Start one ("apt-get install redis-server"), open its port to this machine, or correct the address.';
}

/** By what `INFO` says. */
function requireSuitable(info: string, address: RedisAddress): void {
  const version = fieldOf(info, "redis_version") ?? "unknown";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [oldestMajor, oldestMinor] = oldestVersion;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    throw failed(address, `is version ${version}: use Redis 6.2 or later, or Valkey.`);
  }
  const policy = fieldOf(info, "maxmemory_policy");
  if (policy !== undefined && policy !== "noeviction") {
    throw failed(
      address,
      `drops keys when its memory is full (maxmemory-policy ${policy}), and measurements with ` +
        `them: set it to noeviction.`,
    );
  }
}

function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
}

function failed({ shown }: RedisAddress, what: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError("REDIS_FAILED", `The Redis server at ${shown} ${what}`, { cause });
}
