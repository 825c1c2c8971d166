import { describe, expect, it } from "vitest";
import { blockOrders } from "../src/measure/block-order.js";
import { interleave, runInTurn, type Interleaving } from "../src/measure/interleave.js";
import { ManualClock } from "./fake-generator.js";

const members = ["a", "b", "c"];

/** Blocks that take a second each; says what was run and what was told. */
async function race(options: Partial<Interleaving<string, string>> = {}) {
  const clock = new ManualClock();
  const told: string[] = [];
  const status = await interleave<string, string>({
    members,
    seed: 3,
    clock,
    signal: undefined,
    blocks: 4,
    isWarm: (dropped) => dropped === 2,
    measuredOrders: "fresh",
    runBlock: async (order, phase, done) => {
      clock.advance(1e9);
      return `${phase} ${done} ${order.join("")}`;
    },
    onWarmUp: (block, dropped) => void told.push(`${block}, ${dropped}`),
    onWarm: () => void told.push("warm"),
    onBlock: (block, measured) => void told.push(`${block}, ${measured}`),
    ...options,
  });
  return { status, told };
}

function orders(count: number): string[] {
  const drawn = blockOrders(members, 3);
  return Array.from({ length: count }, () => drawn.next().value.join(""));
}

describe("interleave", () => {
  it("warms up, then measures at the beginning of the design", async () => {
    const [first, second, third, fourth] = orders(4);
    expect(await race()).toEqual({
      status: "complete",
      told: [
        `warm-up 0 ${first}, 1`,
        `warm-up 1 ${second}, 2`,
        "warm",
        `measure 0 ${first}, 1`,
        `measure 1 ${second}, 2`,
        `measure 2 ${third}, 3`,
        `measure 3 ${fourth}, 4`,
      ],
    });
  });

  it("goes on with the orders of the warm-up where it is told to", async () => {
    const { told } = await race({ measuredOrders: "continued" });
    const run = told.filter((line) => line !== "warm").map((line) => /[abc]{3}/.exec(line)?.[0]);
    expect(run).toEqual(orders(6));
  });

  it.each([
    [{ seconds: 0.5 }, 6],
    [{ seconds: 7.5 }, 8],
    [{ seconds: 0.5, fewestBlocks: 2 }, 2],
    [{ seconds: 2.5, fewestBlocks: 2, multipleOf: 2 }, 4],
    [{ seconds: 100 }, 10],
    // The clock begins at 1000 ns, and two blocks are dropped before.
    [{ seconds: 3.5, fewestBlocks: 1, sinceNanoseconds: 1000 }, 2],
  ])("ends where the budget %j is spent: %i blocks", async (timeBudget, blocks) => {
    const { status, told } = await race({ blocks: 10, timeBudget });
    expect(status).toBe("complete");
    expect(told.filter((line) => line.startsWith("measure"))).toHaveLength(blocks);
  });

  it.each([
    ["warm-up", 1],
    ["measure", 4],
  ])("is interrupted in the %s, and gives what was whole before", async (phase, lines) => {
    const controller = new AbortController();
    const { status, told } = await race({
      signal: controller.signal,
      runBlock: async (order, now, done) => {
        const runs = await runInTurn(order, controller.signal, async (member) => {
          if (now === phase && done === 1) controller.abort();
          return member;
        });
        return runs?.join("");
      },
    });
    expect(status).toBe("interrupted");
    expect(told).toHaveLength(lines);
  });

  it("begins no block once the signal is aborted", async () => {
    const controller = new AbortController();
    const { status, told } = await race({
      signal: controller.signal,
      onWarm: () => controller.abort(),
    });
    expect(status).toBe("interrupted");
    expect(told).toHaveLength(2);
  });
});
