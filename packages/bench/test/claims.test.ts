import { describe, expect, it } from "vitest";
import { analyze } from "../src/conclude/analysis.js";
import { judge, judgeClaims, type Claim } from "../src/conclude/claims.js";
import { identityOf, type Block, type Cell } from "../src/record/index.js";
import { runOf } from "./example-run.js";
import { cellPlan } from "./plans.js";

const claim: Claim = {
  id: "test",
  metric: "overhead",
  treatment: "stream",
  limit: 0.05,
  of: { scenario: "model" },
};

function at(values: number[] | undefined, index: number): number {
  return values?.[index % values.length] ?? 0;
}

/** A cell whose log-ratios are given, over and over. */
function cellWith(
  ratios: { control?: number[]; stream: number[] },
  blocksOfCell = 12,
  blocksOfProcess = Infinity,
): Cell {
  const blocks: Block[] = Array.from({ length: blocksOfCell }, (_, index) => ({
    index,
    process: Math.floor(index / blocksOfProcess),
    runs: [
      runOf("generate", 1e6),
      runOf("control", 1e6 * Math.exp(at(ratios.control, index))),
      runOf("stream", 1e6 * Math.exp(at(ratios.stream, index))),
      runOf("streamAsync", 1e6),
    ],
  }));
  const plan = cellPlan();
  return {
    ...identityOf(plan),
    status: "complete",
    failure: null,
    promptTokens: 8,
    warmUp: { blocksDropped: 5, steady: true },
    processes: [],
    plannedBlocks: plan.blocks,
    blocks,
    distributions: [],
    analysis: analyze(blocks, plan.tokens),
    rawSamples: null,
  };
}

const quiet = [-0.001, 0, 0.001];
const around = (center: number, spread = 0.001): number[] => [
  center - spread,
  center,
  center + spread,
];

describe("judge", () => {
  it.each([
    ["upheld", { control: quiet, stream: around(0.02) }],
    ["upheld", { control: quiet, stream: around(-0.01) }],
    ["refuted", { control: quiet, stream: around(0.08) }],
    ["inconclusive", { control: quiet, stream: around(Math.log(1.05)) }],
    ["inconclusive", { control: quiet, stream: around(0.03, 0.08) }],
    ["void", { control: [-0.05, 0, 0.05], stream: around(0.02) }],
    ["void", { control: around(0.02), stream: around(0.02) }],
    ["void", { control: around(-0.02), stream: around(0.08) }],
  ] as const)("says %s of %j", (verdict, ratios) => {
    expect(
      judge(claim, cellWith({ control: [...ratios.control], stream: [...ratios.stream] })).verdict,
    ).toBe(verdict);
  });

  it("does not uphold what only the median shows", () => {
    // Two stalls in twelve blocks: the median is at 1 %, users wait on average.
    const stream = [...around(0.01), ...around(0.01), ...around(0.01), 0.01, 0.5, 0.5];
    const result = judge(claim, cellWith({ control: quiet, stream }));
    const comparison = cellWith({ control: quiet, stream }).analysis?.comparisons[1];
    expect(comparison?.overhead.hodgesLehmann.value).toBeLessThan(0.05);
    expect(result.verdict).toBe("inconclusive");
  });

  it("names the noise and the remedy when it is void", () => {
    const { reasons, control } = judge(claim, cellWith({ control: around(0.02), stream: quiet }));
    expect(reasons.join(" ")).toContain("generate against itself differs by 2.02 %");
    expect(reasons.at(-1)).toMatch(/quieter machine or with more blocks/);
    expect(control).toEqual({ margin: 0.0125, equivalent: false });
  });

  it("is inconclusive with too few blocks, and void for a failed cell", () => {
    const short = cellWith({ stream: quiet }, 5);
    expect(judge(claim, short)).toMatchObject({ verdict: "inconclusive", control: null });
    const failed: Cell = {
      ...short,
      status: "failed",
      failure: { code: "ENGINE_FAILED", message: "It broke." },
    };
    expect(judge(claim, failed)).toMatchObject({ verdict: "void", reasons: ["It broke."] });
  });

  it("gives the token time at which the limit would be reached", () => {
    const cell = cellWith({ control: quiet, stream: around(Math.log(1.02)) });
    // 2 % of 1 ms over 10 tokens is 2 µs per token; 5 % of 40 µs is as much.
    expect(judge(claim, cell).breakEvenMicrosecondsPerToken).toBeCloseTo(40, 0);
  });
});

describe("judge, of an absolute cost", () => {
  // 1 ms over 10 tokens: 1 % is 1 µs per token.
  const cost: Claim = { ...claim, metric: "absoluteCost", limit: 4 };

  it.each([
    ["upheld", { control: quiet, stream: around(0.02) }],
    ["refuted", { control: quiet, stream: around(0.08) }],
    ["inconclusive", { control: quiet, stream: around(Math.log(1.04)) }],
    ["void", { control: around(0.012), stream: around(0.02) }],
    ["void", { control: around(-0.012), stream: around(0.02) }],
  ] as const)("says %s of %j", (verdict, ratios) => {
    const cell = cellWith({ control: [...ratios.control], stream: [...ratios.stream] });
    expect(judge(cost, cell).verdict).toBe(verdict);
  });

  it("gives reasons and margin in microseconds, and no break-even", () => {
    const upheld = judge(cost, cellWith({ control: quiet, stream: around(0.02) }));
    expect(upheld.reasons[0]).toMatch(
      /the absolute cost is surely above 1\.\d+ µs per token and below 2\.\d+ µs per token .* limit is 4\.00 µs/,
    );
    expect(upheld).toMatchObject({
      metric: "absoluteCost",
      control: { margin: 1, equivalent: true },
      breakEvenMicrosecondsPerToken: null,
    });
    const { reasons } = judge(cost, cellWith({ control: around(0.02), stream: quiet }));
    expect(reasons.join(" ")).toMatch(/differs by 2\.02 µs per token .* within ± 1\.00 µs/);
  });
});

describe("judgeClaims", () => {
  it("holds a claim against every cell that has what it is made for", () => {
    const cell = cellWith({ control: quiet, stream: quiet });
    const cells = [cell, { ...cell, id: "longer", tokens: 50 }, { ...cell, scenario: "paced" }];
    const held = (of: Claim["of"]): string[] =>
      judgeClaims([{ ...claim, of }], cells).map((result) => result.cell);
    expect(held({ scenario: "model" })).toEqual(["fake-10", "longer"]);
    expect(held({ scenario: "model", tokens: 50 })).toEqual(["longer"]);
    expect(held({ scenario: "paced" })).toEqual(["fake-10"]);
    expect(held({})).toHaveLength(3);
    expect(held({ host: "pooled" })).toEqual([]);
  });
});

describe("judge, after several looks", () => {
  const looks = [
    { processes: 3, tail: 0.005 },
    { processes: 6, tail: 0.048 },
  ];
  const calm = [-0.002, 0.001, 0.002, -0.001];

  it("decides at the first look that shows a side, and says which", () => {
    const cell = cellWith({ control: calm, stream: calm.map((value) => value + 0.01) }, 36, 6);
    expect(judge(claim, cell, looks)).toMatchObject({ verdict: "upheld", look: looks[0] });
    expect(judge(claim, cell, looks).reasons[0]).toMatch(/look 1 of 2, each at 99\.5 %/);
  });

  it("keeps to it, whatever came later", () => {
    const late = [...Array<number>(18).fill(0.001), ...Array<number>(18).fill(0.2)];
    const stream = late.map((value, index) => value + at(calm, index));
    const cell = cellWith({ control: calm, stream }, 36, 6);
    expect(judge(claim, cell, looks)).toMatchObject({ verdict: "upheld", look: looks[0] });
  });

  it("goes to the next look while both sides are possible", () => {
    const near = calm.map((value) => value * 20 + Math.log(1.047));
    const cell = cellWith({ control: calm, stream: near }, 36, 6);
    const { verdict, look, reasons } = judge(claim, cell, looks);
    expect({ verdict, look }).toEqual({ verdict: "inconclusive", look: looks[1] });
    expect(reasons.at(-1)).toMatch(/smallest detectable effect/);
  });

  it("waits for the first look", () => {
    const cell = cellWith({ control: calm, stream: calm }, 12, 6);
    expect(judge(claim, cell, looks)).toMatchObject({ verdict: "inconclusive", look: null });
    expect(judge(claim, cell, looks).reasons[0]).toMatch(/2 of the 3 processes before the first/);
  });

  it("takes process means where processes differ, and refuses where they are too few", () => {
    const shifted = Array.from({ length: 36 }, (_, index) => 0.03 * (Math.floor(index / 6) % 2));
    const stream = shifted.map((value, index) => value + at(calm, index));
    const cell = cellWith({ control: calm, stream }, 36, 6);
    expect(cell.analysis?.comparisons[1]).toMatchObject({ level: "processes", processes: 6 });
    expect(judge(claim, cell, looks).look).toEqual(looks[1]);
    const few = cellWith({ control: calm, stream }, 18, 6);
    expect(judge(claim, few, [looks[0]!])).toMatchObject({
      verdict: "inconclusive",
      reasons: [expect.stringMatching(/The 3 processes differ .* needs 6 of them/) as string],
    });
  });
});

describe("judge, of no difference", () => {
  const same: Claim = { ...claim, metric: "difference", treatment: "control", limit: 0.0125 };
  const about = (center: number): number[] => [center - 0.002, center + 0.002];

  it.each([
    [0, "upheld"],
    [0.004, "upheld"],
    [-0.005, "upheld"],
    [0.012, "inconclusive"],
    [0.03, "refuted"],
    [-0.03, "refuted"],
  ] as const)("of %d is %s within 1.25 %%", (center, verdict) => {
    const cell = cellWith({ control: about(center), stream: [0] });
    expect(judge(same, cell)).toMatchObject({ verdict, control: null });
    expect(judge(same, cell).reasons).toHaveLength(2);
  });
});
