import { describe, expect, it } from "vitest";
import { Link, tookTooLong } from "../src/agent/link.js";
import { createClient } from "../src/redis/connection.js";
import { parseRedisAddress } from "../src/redis/redis-address.js";
import { within } from "../src/redis/within.js";

// Nobody connects to it: a client does so with its first command.
const address = parseRedisAddress("redis://127.0.0.1:1");
const never = new Promise<never>(() => undefined);

interface Made {
  readonly number: number;
  close(): Promise<void>;
}

/** A link whose things are numbered, and the numbers of those that were closed. */
function linked(watchdogMilliseconds: number): {
  readonly link: Link<Made>;
  readonly closed: number[];
} {
  const closed: number[] = [];
  let count = 0;
  const make = (): Made => {
    count += 1;
    const number = count;
    return {
      number,
      close: () => {
        closed.push(number);
        return Promise.resolve();
      },
    };
  };
  return { link: new Link(address, createClient(address), make, watchdogMilliseconds), closed };
}

describe("a connection under watch", () => {
  it("gives what the work gives, and throws what it throws", async () => {
    const { link } = linked(10_000);
    expect(await link.use(({ made }) => Promise.resolve(made.number))).toBe(1);
    await expect(link.use(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(link.renewals).toBe(0);
    await link.close();
  });

  it("is made anew, once, where two pieces of work take too long", async () => {
    const { link, closed } = linked(20);
    const old = link.redis;
    expect(await Promise.all([link.use(() => never), link.use(() => never)])).toEqual([
      tookTooLong,
      tookTooLong,
    ]);
    expect(link.renewals).toBe(1);
    expect(link.redis).not.toBe(old);
    expect(closed).toEqual([1]);
    expect(await link.use(({ made }) => Promise.resolve(made.number))).toBe(2);
    await link.close();
    expect(closed).toEqual([1, 2]);
  });

  it("does not blame work for a connection that was given up meanwhile", async () => {
    const { link } = linked(50);
    let fail: (error: Error) => void = () => undefined;
    const stuck = link.use(() => never);
    const cut = link.use(
      () =>
        new Promise<never>((_, reject) => {
          fail = reject;
        }),
    );
    expect(await stuck).toBe(tookTooLong);
    fail(new Error("Connection is closed."));
    expect(await cut).toBe(tookTooLong);
    await link.close();
  });
});

describe("within", () => {
  it("gives an answer in time, or the failure", async () => {
    expect(await within(10_000, Promise.resolve(3))).toBe(3);
    await expect(within(10_000, Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("goes on without an answer after the time, and after an abort", async () => {
    expect(await within(10, never)).toBeUndefined();
    const controller = new AbortController();
    const waiting = within(Infinity, never, controller.signal);
    controller.abort();
    expect(await waiting).toBeUndefined();
    expect(await within(Infinity, never, controller.signal)).toBeUndefined();
  });
});
