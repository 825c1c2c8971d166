import type { Redis } from "../redis/connection.js";

/** The server's clock, against this machine's. */
export interface RedisClock {
  /** A moment of the server's clock, by `process.hrtime`. @param microseconds since 1970 */
  toLocalNanoseconds(microseconds: bigint): bigint;
  /** Server's − the machine's own clock, in whole milliseconds. */
  readonly offsetMilliseconds: number;
  /** {@link toLocalNanoseconds} is wrong by at most so much, where it is used soon. */
  readonly uncertaintyNanoseconds: number;
}

/** The quickest of so many is hardly ever held up on the way. */
const roundTrips = 15;

/** Of what the server says. */
const resolutionNanoseconds = 1000;

/**
 * Asks the server for its time. It answered somewhere between question and answer: taken is the middle
 * of the quickest round trip, which is wrong by half of it at most.
 */
export async function readRedisClock(redis: Redis): Promise<RedisClock> {
  let best: { readonly trip: bigint; readonly offset: bigint; readonly wall: number } | undefined;
  for (let index = 0; index < roundTrips; index += 1) {
    const before = process.hrtime.bigint();
    const [seconds = 0, microseconds = 0] = await redis.time();
    const after = process.hrtime.bigint();
    const trip = after - before;
    if (best !== undefined && trip >= best.trip) continue;
    const server = (BigInt(seconds) * 1_000_000n + BigInt(microseconds)) * 1000n;
    const milliseconds = Number(server / 1_000_000n);
    best = { trip, offset: server - (before + trip / 2n), wall: milliseconds - Date.now() };
  }
  const { trip = 0n, offset = 0n, wall = 0 } = best ?? {};
  return {
    toLocalNanoseconds: (microseconds) => microseconds * 1000n - offset,
    offsetMilliseconds: wall,
    uncertaintyNanoseconds: Math.ceil(Number(trip) / 2) + resolutionNanoseconds,
  };
}
