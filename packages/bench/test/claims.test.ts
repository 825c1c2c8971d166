import { describe, expect, it } from "vitest";
import { judge, judgeClaims, type Claim } from "../src/conclude/claims.js";
import type { Block, Cell } from "../src/record/index.js";
import { runOf } from "./example-run.js";
import { analysedCell } from "./measured-cell.js";

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

/** A cell whose log-ratios are given, over and over; of as many processes as a verdict needs. */
function cellWith(
  ratios: { control?: number[]; stream: number[] },
  blocksOfCell = 64,
  blocksOfProcess = 8,
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
  return analysedCell(blocks);
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
    ["inconclusive", { control: quiet, stream: around(0.03, 0.8) }],
    // A control that shows a difference leaves less room, and is in the way of nothing else.
    ["upheld", { control: around(0.02), stream: around(0.02) }],
    ["refuted", { control: around(-0.02), stream: around(0.08) }],
    ["void", { control: around(0.03), stream: around(0.03) }],
    ["void", { control: around(-0.03), stream: around(0.06) }],
    ["inconclusive", { control: [-0.9, 0, 0.9], stream: around(0.02) }],
    ["inconclusive", { control: [-0.9, 0, 0.9], stream: around(0.08) }],
  ] as const)("says %s of %j", (verdict, ratios) => {
    expect(
      judge(claim, cellWith({ control: [...ratios.control], stream: [...ratios.stream] })).verdict,
    ).toBe(verdict);
  });

  it("does not uphold what only most processes show", () => {
    // Two stalls in one of twenty processes: the median is at 1 %, users wait on average. Student's
    // t alone would be below 5 % too.
    const stream = Array.from({ length: 160 }, (_, index) => (index < 2 ? 0.9 : 0.01));
    const cell = cellWith({ control: quiet, stream }, 160);
    expect(cell.analysis?.comparisons[1]?.overhead.hodgesLehmann.bounds95.upper).toBeLessThan(0.05);
    expect(judge(claim, cell).verdict).toBe("inconclusive");
  });

  it("adds what the control leaves room for, and says so", () => {
    const control = around(0.02);
    const near = cellWith({ control, stream: around(0.035) });
    const { reasons, control: room } = judge(claim, near);
    expect(judge(claim, cellWith({ control: quiet, stream: around(0.035) })).verdict).toBe(
      "upheld",
    );
    expect(reasons[0]).toMatch(
      /above 3\.\d+ % and below 3\.\d+ % \(each at 95 %\); the control leaves room for ± 2\.\d+ %/,
    );
    expect(room?.margin).toBeCloseTo(Math.expm1(0.0203), 3);
    expect(room?.equivalent).toBe(false);
  });

  it("names the noise and the remedy when it is void", () => {
    const { reasons } = judge(claim, cellWith({ control: around(0.03), stream: around(0.03) }));
    expect(reasons.join(" ")).toMatch(
      /Noise: generate against itself differs by 3\.0\d % to 3\.\d+ %/,
    );
    expect(reasons.at(-1)).toMatch(/quieter machine/);
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

  it.each([
    [1, 60, /Measured in 1 process: the interval is about this process .* needs 8 processes/],
    [7, 10, /Measured in 7 processes: .* about these processes .* needs 8 processes/],
    [8, 7, /56 blocks are measured\. A verdict needs 59/],
  ] as const)(
    "says nothing of the next process from %d with %d blocks",
    (processes, blocks, why) => {
      for (const metric of ["overhead", "absoluteCost", "difference"] as const) {
        const cell = cellWith({ control: quiet, stream: quiet }, processes * blocks, blocks);
        expect(judge({ ...claim, metric }, cell)).toMatchObject({
          verdict: "inconclusive",
          reasons: [expect.stringMatching(why) as string],
          control: null,
        });
      }
    },
  );

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
    ["upheld", { control: around(0.012), stream: around(0.02) }],
    ["void", { control: around(-0.025), stream: around(0.02) }],
  ] as const)("says %s of %j", (verdict, ratios) => {
    const cell = cellWith({ control: [...ratios.control], stream: [...ratios.stream] });
    expect(judge(cost, cell).verdict).toBe(verdict);
  });

  it("gives reasons and margin in microseconds, and no break-even", () => {
    const upheld = judge(cost, cellWith({ control: quiet, stream: around(0.02) }));
    expect(upheld.reasons[0]).toMatch(
      /the absolute cost is surely above [12]\.\d+ µs per token and below 2\.\d+ µs per token .* room for ± 0\.0\d µs per token; the limit is 4\.00 µs/,
    );
    expect(upheld).toMatchObject({
      metric: "absoluteCost",
      control: { equivalent: true },
      breakEvenMicrosecondsPerToken: null,
    });
    const { reasons } = judge(cost, cellWith({ control: around(0.025), stream: around(0.02) }));
    expect(reasons.join(" ")).toMatch(/differs by 2\.5\d µs per token to 2\.5\d µs per token/);
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
    { processes: 10, tail: 0.005 },
    { processes: 16, tail: 0.048 },
  ];
  const calm = [-0.002, 0.001, 0.002];

  it("decides at the first look that shows a side, and says which", () => {
    const cell = cellWith({ control: calm, stream: calm.map((value) => value + 0.01) }, 128);
    expect(judge(claim, cell, looks)).toMatchObject({ verdict: "upheld", look: looks[0] });
    expect(judge(claim, cell, looks).reasons[0]).toMatch(/look 1 of 2, each at 99\.5 %/);
  });

  it("keeps to it, whatever came later, in the control too", () => {
    const late = [...Array<number>(80).fill(0.001), ...Array<number>(48).fill(0.2)];
    const values = late.map((value, index) => value + at(calm, index));
    for (const ratios of [
      { control: calm, stream: values },
      { control: values, stream: calm },
    ]) {
      expect(judge(claim, cellWith(ratios, 128), looks)).toMatchObject({
        verdict: "upheld",
        look: looks[0],
      });
    }
  });

  it("goes to the next look while both sides are possible", () => {
    const near = around(Math.log(1.045), 0.4);
    const cell = cellWith({ control: quiet, stream: near }, 128);
    const { verdict, look, reasons } = judge(claim, cell, looks);
    expect({ verdict, look }).toEqual({ verdict: "inconclusive", look: looks[1] });
    expect(reasons.at(-1)).toMatch(/With 16 process means .* smallest detectable effect/);
  });

  it("waits for the first look", () => {
    const cell = cellWith({ control: calm, stream: calm }, 72);
    expect(judge(claim, cell, looks)).toMatchObject({ verdict: "inconclusive", look: null });
    expect(judge(claim, cell, looks).reasons[0]).toMatch(/9 processes are done; the next look/);
  });

  it("passes over a look that comes before there are enough processes and blocks", () => {
    const cell = cellWith({ control: calm, stream: calm }, 64, 4);
    const early = [{ processes: 6, tail: 0.04 }, { processes: 12, tail: 0.03 }, ...looks.slice(1)];
    expect(judge(claim, cell, early)).toMatchObject({ verdict: "upheld", look: looks[1] });
  });

  it("takes process means, however alike processes are", () => {
    const { analysis } = cellWith({ control: calm, stream: calm });
    expect(analysis?.comparisons[1]).toMatchObject({ level: "processes", processes: 8 });
    const few = cellWith({ control: calm, stream: calm }, 56);
    expect(few.analysis?.comparisons[1]).toMatchObject({
      level: "within processes",
      processes: 7,
    });
  });
});

describe("judge, of no difference", () => {
  const same: Claim = { ...claim, metric: "difference", treatment: "control", limit: 0.0125 };
  const about = (center: number): number[] => around(center, 0.006);

  it.each([
    [0, "upheld"],
    [0.004, "upheld"],
    [-0.005, "upheld"],
    [0.0122, "inconclusive"],
    [0.03, "refuted"],
    [-0.03, "refuted"],
  ] as const)("of %d is %s within 1.25 %%", (center, verdict) => {
    const cell = cellWith({ control: about(center), stream: [0] });
    expect(judge(same, cell)).toMatchObject({ verdict, control: null });
    expect(judge(same, cell).reasons).toHaveLength(2);
  });
});
