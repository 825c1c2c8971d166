import { describe, expect, it } from "vitest";
import { RequestQueue } from "../src/host/request-queue.js";

function takeAll<T>(queue: RequestQueue<T>): T[] {
  const taken: T[] = [];
  for (let call = queue.take(); call !== undefined; call = queue.take()) taken.push(call);
  return taken;
}

describe("the queue of requests", () => {
  it("lets the calls of one client go in the order they came", () => {
    const queue = new RequestQueue<number>(Infinity);
    for (const call of [3, 1, 2]) queue.add("a", call);
    expect(takeAll(queue)).toEqual([3, 1, 2]);
    expect(queue.length).toBe(0);
  });

  it("lets clients take turns, whoever asked for more", () => {
    const queue = new RequestQueue<string>(Infinity);
    for (const call of ["a1", "a2", "a3", "a4", "b1", "b2", "c1"]) queue.add(call.charAt(0), call);
    expect([queue.take(), queue.take()]).toEqual(["a1", "b1"]);
    // Who comes, or comes back, is last in turn.
    queue.add("d", "d1");
    queue.add("b", "b3");
    expect(takeAll(queue)).toEqual(["c1", "a2", "b2", "d1", "a3", "b3", "a4"]);
  });

  it("turns a call away when as many wait as may, and has room for one when one leaves", () => {
    const queue = new RequestQueue<string>(2);
    queue.add("a", "first");
    queue.add("b", "second");
    expect(() => queue.add("c", "third")).toThrow(
      expect.objectContaining({
        code: "QUEUE_FULL",
        message: expect.stringMatching(
          /2 calls wait already: .* raise maxQueue, which is 2/,
        ) as string,
      }),
    );
    expect(queue.remove("a", "first")).toBe(true);
    queue.add("c", "third");
    expect(takeAll(queue)).toEqual(["second", "third"]);
    expect(() => new RequestQueue(0).add("", "any")).toThrow(/no call may wait: .* which is 0/);
  });

  it("forgets a call that was taken out, and its client's turn with the last", () => {
    const queue = new RequestQueue<string>(Infinity);
    for (const call of ["a1", "a2", "a3", "b1"]) queue.add(call.charAt(0), call);
    expect(queue.remove("a", "a2")).toBe(true);
    expect(queue.remove("a", "a2")).toBe(false);
    expect(queue.remove("b", "a1")).toBe(false);
    expect(queue.remove("b", "b1")).toBe(true);
    expect(queue.length).toBe(2);
    expect(takeAll(queue)).toEqual(["a1", "a3"]);
    expect(queue.remove("a", "a1")).toBe(false);
  });
});
