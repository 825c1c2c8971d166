import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { StreamToken } from "@streamgauge/core";
import { stress } from "@streamgauge/bench";
import { describe, expect, it } from "vitest";
import { isUnbroken, renderStress } from "../src/endurance/stress-summary.js";
import { SequenceCheck, StressTokens } from "../src/endurance/stress-tokens.js";

describe("the stress of a ring between two threads", () => {
  it("loses, doubles, reorders and tears none of a million tokens", async () => {
    const { rounds, interrupted } = await stress({ tokens: 1_000_000, seed: 4 });
    expect(interrupted).toBe(false);
    expect(rounds.flatMap(({ described }) => described)).toEqual([]);
    const sum = (of: (round: (typeof rounds)[number]) => number): number =>
      rounds.reduce((total, round) => total + of(round), 0);
    expect(sum(({ violations }) => violations)).toBe(0);
    expect(sum(({ tokens }) => tokens)).toBeGreaterThanOrEqual(1_000_000);
    // Both threads were in each other's way.
    expect(sum(({ emptyWaits }) => emptyWaits)).toBeGreaterThan(1000);
    expect(sum(({ fullWaits }) => fullWaits)).toBeGreaterThan(1000);
    for (const { canaries } of rounds) expect(canaries).toBeGreaterThan(1000);
    const kinds = rounds.map(({ ring }) => [ring.wait, ring.capacity, ring.publishBatch].join());
    for (const kind of ["waitAsync,1,1", "message,4096,16", "block,8,8"]) {
      expect(kinds).toContain(kind);
    }
  });

  it("ends early when it is told to, with what it has done in order", async () => {
    const controller = new AbortController();
    const { rounds, interrupted } = await stress({
      tokens: 100_000_000,
      seed: 5,
      signal: controller.signal,
      onProgress: ({ fractionDone }) => {
        if (fractionDone > 0.001) controller.abort();
      },
    });
    expect(interrupted).toBe(true);
    const tokens = rounds.reduce((total, round) => total + round.tokens, 0);
    expect(tokens).toBeGreaterThanOrEqual(100_000);
    expect(tokens).toBeLessThan(10_000_000);
    expect(rounds.flatMap(({ described }) => described)).toEqual([]);
  });
});

describe("the check of the tokens that arrive", () => {
  const source = new StressTokens(9);

  function violationsOf(tokens: readonly StreamToken[]): string[] {
    const check = new SequenceCheck(source);
    for (const token of tokens) check.take(token);
    return check.described;
  }

  it("takes the right ones", () => {
    const tokens = Array.from({ length: 5000 }, (_, index) => source.at(index));
    expect(violationsOf(tokens)).toEqual([]);
    expect(new Set(tokens.map(({ id }) => id)).size).toBe(5000);
    expect(Math.max(...tokens.map(({ text }) => text.length))).toBeGreaterThan(48);
  });

  it.each([
    ["a lost one", [0, 2, 3], ["token 2 came where 1 was due: lost before it"]],
    ["a doubled one", [0, 1, 1, 2], ["token 1 came where 2 was due: doubled or out of order"]],
    [
      "reordered ones",
      [0, 2, 1, 3],
      [
        "token 2 came where 1 was due: lost before it",
        "token 1 came where 3 was due: doubled or out of order",
        "token 3 came where 2 was due: lost before it",
      ],
    ],
  ])("sees %s", (_, indices, expected) => {
    expect(violationsOf(indices.map((index) => source.at(index)))).toEqual(expected);
  });

  it("sees a token of which any field is another's", () => {
    for (const [field, value] of Object.entries({
      id: 1,
      text: "x",
      endOfSequence: "neither",
      logprob: 1,
      producedAtMilliseconds: -1,
    })) {
      const torn = { ...source.at(0), [field]: value } as StreamToken;
      expect(violationsOf([torn])).toEqual([expect.stringMatching(/^token 0 is torn/)]);
    }
  });
});

describe("streamgauge stress", () => {
  const bin = fileURLToPath(new URL("../bin/streamgauge.js", import.meta.url));

  async function run(
    flags: readonly string[],
    interruptAt?: RegExp,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = spawn(process.execPath, [bin, "stress", ...flags]);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data) => (stdout += String(data)));
    child.stderr.on("data", (data) => {
      stderr += String(data);
      if (interruptAt?.test(stderr) === true && !stderr.includes("Ending")) child.kill("SIGINT");
    });
    const [code] = (await once(child, "close")) as [number];
    return { code, stdout, stderr };
  }

  it("says what it did", async () => {
    const { code, stdout } = await run(["--tokens", "3000", "--seed", "1"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/block after 20 us +\| 4,096 +\| 16 +\|/);
    expect(stdout).toMatch(
      /^3,\d\d\d tokens in \d+ s through 77 kinds of ring, [\d,]+ canaries, seed 1: nothing lost, doubled, reordered, torn/m,
    );
  });

  // Windows ends a process without asking it.
  it.skipIf(process.platform === "win32")("ends at Ctrl-C and shows what it did", async () => {
    const { code, stdout, stderr } = await run(["--minutes", "10"], /%/);
    expect(code).toBe(130);
    expect(stderr).toContain("Ending; interrupt again to exit at once.");
    expect(stdout).toMatch(/Interrupted\. [\d,]+ tokens .*: nothing lost/);
  });

  it("explains its flags and refuses others", async () => {
    expect((await run(["--help"])).stdout).toMatch(/--tokens.*--seed.*--minutes.*Exit codes/s);
    const { code, stderr } = await run(["--tokens", "0"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/must be an integer ≥ 1/);
  });

  it("fails when something is wrong, and shows what", async () => {
    const { rounds, ...rest } = await stress({ tokens: 1, seed: 1 });
    const described = ["token 3 came where 2 was due: lost before it"];
    const broken = rounds.map((round, index) =>
      index === 0 ? { ...round, violations: 1, described } : round,
    );
    expect(isUnbroken({ ...rest, rounds })).toBe(true);
    expect(isUnbroken({ ...rest, rounds: broken })).toBe(false);
    const text = renderStress({ ...rest, rounds: broken }, { unicode: false });
    expect(text).toContain(described[0]);
    expect(text).toContain("1 violations: the ring is broken on this machine");
  });
});
