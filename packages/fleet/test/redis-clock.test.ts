import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import { readRedisClock } from "../src/agent/redis-clock.js";
import type { Redis } from "../src/redis/connection.js";

it("the server's clock is known to half of the quickest round trip", async () => {
  const aheadMicroseconds = 1_700_000_000_000_000n;
  let asked = 0;
  const redis: Pick<Redis, "time"> = {
    async time() {
      asked += 1;
      // The way there takes longer than the way back, and not always as long.
      await pause(asked % 3);
      const microseconds = process.hrtime.bigint() / 1000n + aheadMicroseconds;
      return [Number(microseconds / 1_000_000n), Number(microseconds % 1_000_000n)];
    },
  };
  const clock = await readRedisClock(redis as Redis);
  expect(asked).toBeGreaterThan(1);
  const localMicroseconds = 123_456_789n;
  const local = clock.toLocalNanoseconds(localMicroseconds + aheadMicroseconds);
  const error = Math.abs(Number(local - localMicroseconds * 1000n));
  expect(error).toBeLessThanOrEqual(clock.uncertaintyNanoseconds);
});
