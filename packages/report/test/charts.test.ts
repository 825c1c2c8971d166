import { describe, expect, it } from "vitest";
import { chartsOf, chartsOfCell, renderSvg, type ChartName } from "@streamgauge/report";
import type { ResultRecord } from "@streamgauge/bench/record";
import { fixtureRecord } from "./fixture.js";
import { hostileRecord } from "./hostile-record.js";
import { wholeRecord } from "./whole-record.js";

async function draw(record: ResultRecord, name: ChartName): Promise<string> {
  const chart = chartsOf(record).find((candidate) => candidate.name === name);
  return renderSvg(chart!);
}

/** The marks of a drawing that say something of themselves: their words, and where they are. */
function marksOf(svg: string): { about: string; x: number; y: number }[] {
  return [
    ...svg.matchAll(/<path aria-label="([^"]*)"[^>]*transform="translate\(([-\d.]+),([-\d.]+)\)"/g),
  ].map(([, about, x, y]) => ({ about: about!, x: Number(x), y: Number(y) }));
}

describe("charts", () => {
  it("are those that a record has data for", async () => {
    const record = await wholeRecord();
    expect(chartsOf(record).map(({ name }) => name)).toEqual([
      "overhead",
      "break-even",
      "inter-token-latency",
      "latency-over-time",
      "token-ledger",
      "slowest-gaps",
      "flame-graph",
    ]);
    expect(chartsOf({ ...record, profiles: [] }).map(({ name }) => name)).not.toContain(
      "token-ledger",
    );
    expect(chartsOf({ ...record, cells: [], claims: [], profiles: [] })).toEqual([]);
    expect(chartsOfCell(record.cells[0]!).map(({ name }) => name)).toEqual([
      "inter-token-latency",
      "latency-over-time",
    ]);
  });

  it("are the same bytes whenever they are drawn, in both themes and with words", async () => {
    const copy = JSON.parse(JSON.stringify(await wholeRecord())) as ResultRecord;
    const charts = chartsOf(await wholeRecord());
    const drawn = await Promise.all(charts.map(renderSvg));
    for (const [index, chart] of chartsOf(copy).toReversed().entries()) {
      const svg = await renderSvg(chart);
      expect(svg).toBe(drawn.at(-1 - index));
      expect(svg).toMatch(/^<svg [^>]*role="img"><title>[^<]+<\/title><desc>[^<]+<\/desc><style>/);
      expect(svg).toContain("prefers-color-scheme:dark");
      expect(Number(/ width="(\d+)"/.exec(svg)?.[1])).toBeLessThan(500);
      // Each colour that is painted has a counterpart in the dark.
      const [, style = "", drawing = ""] = /<style>(.*?)<\/style>(.*)/s.exec(svg) ?? [];
      for (const [, color] of drawing.matchAll(/(?:fill|stroke)="(#[0-9a-f]+)"/g)) {
        expect(style).toContain(`"${color}"`);
      }
    }
  });

  it("place estimates, intervals and limits on one scale", async () => {
    const record = await fixtureRecord();
    const svg = await draw(record, "overhead");
    const claims = record.claims.filter(({ metric }) => metric !== "absoluteCost");
    const points = marksOf(svg).filter(({ about }) => about.includes("limit"));
    expect(points.length).toBeGreaterThanOrEqual(claims.length);
    const estimates = claims.map(({ cell, treatment }) => {
      const analysis = record.cells.find(({ id }) => id === cell)?.analysis;
      return analysis!.comparisons.find((one) => one.treatment === treatment)!.overhead
        .hodgesLehmann.value;
    });
    const shown = points.slice(0, claims.length);
    // A linear scale: positions and values have the same proportions.
    const [first, last] = [
      estimates.indexOf(Math.min(...estimates)),
      estimates.indexOf(Math.max(...estimates)),
    ];
    const pixelsPerUnit =
      (shown[last]!.x - shown[first]!.x) / (estimates[last]! - estimates[first]!);
    expect(pixelsPerUnit).toBeGreaterThan(0);
    for (const [index, { x }] of shown.entries()) {
      expect(x).toBeCloseTo(
        shown[first]!.x + (estimates[index]! - estimates[first]!) * pixelsPerUnit,
        0,
      );
    }
  });

  it("give each nine of the percentiles the same width", async () => {
    const svg = await draw(await fixtureRecord(), "inter-token-latency");
    const at = (percentile: string): number =>
      marksOf(svg).find(({ about }) => about.includes(`, p${percentile}:`))!.x;
    expect(at("99") - at("90")).toBeCloseTo(at("90") - at("68.3772") + at("90") - at("68.3772"), 0);
    expect(svg).toContain("p99<");
  });

  it("take percentiles from the record where a histogram cannot be read", async () => {
    const record = await fixtureRecord();
    const broken = record.cells.map((cell) => ({
      ...cell,
      distributions: cell.distributions.map((one) => ({
        ...one,
        histogram: "none",
        p90Nanoseconds: 7_000_000,
        maximumNanoseconds: 9_000_000,
      })),
    }));
    expect(await draw({ ...record, cells: broken }, "inter-token-latency")).toContain(
      ", p90: 7.00 ms",
    );
  });

  it("show throughput where a generator was measured at several lengths", async () => {
    const record = await fixtureRecord();
    const cell = record.cells[0]!;
    const analysis = {
      ...cell.analysis!,
      treatments: cell.analysis!.treatments.map((summary) => ({
        ...summary,
        throughputTokensPerSecond: 123.4,
      })),
    };
    const longer = { ...cell, id: "longer", tokens: 70, analysis };
    const svg = await draw({ ...record, cells: [...record.cells, longer] }, "throughput");
    expect(svg).toContain("sync stream, 70 tokens: 123.4 tokens/s");
    const [short, long] = [cell.tokens, 70].map((tokens) =>
      marksOf(svg).filter(({ about }) => about.includes(`, ${tokens} tokens`)),
    );
    expect(short).toHaveLength(4);
    expect(new Set(long!.map(({ y }) => y)).size).toBe(1);
    expect(short![0]!.x).toBeLessThan(long![0]!.x);
  });

  it("say where a token's time goes, and what was behind the slowest gaps", async () => {
    const record = await wholeRecord();
    const ledger = await draw(record, "token-ledger");
    expect(ledger).toContain("wake: 14.0 µs");
    const widthOf = (stage: string): number =>
      Number(
        new RegExp(`${stage}: [^"]*"[^>]* d="M[^"]*h(?<width>[\\d.]+)v`).exec(ledger)?.groups?.[
          "width"
        ],
      );
    expect(widthOf("wake") / widthOf("deliver")).toBeCloseTo(14 / 1.5, 0);
    const gaps = await draw(record, "slowest-gaps");
    expect(gaps).toContain("major GC 4.1 ms on worker 0");
    expect(gaps).toContain("1 × garbage collection, 1 × unexplained");
  });

  it("name each cause of a slow gap that the profile knows", async () => {
    const record = await wholeRecord();
    const causes = [
      "made late: a step of 9 ms",
      "event loop delay 4 ms on main",
      "delivered late: 3 ms",
    ];
    const profiles = (record.profiles ?? []).map((profile) => {
      const { findings } = profile;
      if (findings.kind !== "timeline") return profile;
      const [gap] = findings.slowestGaps;
      const slowestGaps = causes.map((cause) => ({ ...gap!, cause }));
      return { ...profile, findings: { ...findings, slowestGaps } };
    });
    const chart = chartsOf({ ...record, profiles }).find(({ name }) => name === "slowest-gaps");
    for (const kind of ["slow model step", "busy event loop", "slow wake-up"]) {
      expect(chart?.description).toContain(`1 × ${kind}`);
    }
    expect(chart?.description).not.toContain("another cause");
  });

  it("show who called whom, as wide as its share of the thread", async () => {
    const svg = await draw(await wholeRecord(), "flame-graph");
    const bars = new Map(
      [...svg.matchAll(/<path aria-label="([^"]*)"[^>]* d="M([\d.]+),([\d.]+)h([\d.]+)/g)].map(
        ([, about, x, y, width]) => [about!, { x: Number(x), y: Number(y), width: Number(width) }],
      ),
    );
    const bar = (words: string) => {
      const found = [...bars].find(([about]) => about.startsWith(words));
      if (found === undefined) throw new Error(`No bar says ${words}: ${[...bars.keys()].join()}`);
      return found[1];
    };
    const [next, poll, program] = ["next", "poll", "(program)"].map((name) => bar(`main: ${name}`));
    // 18, 13 and 2 of 20 µs: a callee stands on its caller, another begins where the first ends.
    expect(poll!.width / next!.width).toBeCloseTo(13 / 18, 2);
    expect(poll!.x).toBe(next!.x);
    expect(poll!.y).toBeLessThan(next!.y);
    expect(program!.x).toBeCloseTo(next!.x + next!.width, 1);
    expect(program!.y).toBe(next!.y);
    expect(bar("worker 0: decode").width).toBeCloseTo(next!.width + program!.width, 1);
    expect(svg).toContain(
      "main: 20.0 µs per token, most by themselves: poll (ring) 45.0 %, next (adapter) 25.0 %",
    );
    expect(svg).toContain("main: poll, 65.0 %, 13.0 µs per token, @streamgauge/runtime/dist/ring/");
    expect(svg).toContain(">worker 0, 200.0 µs per token</text>");
  });

  it("have no flame graph of a record that has no calls", async () => {
    const record = await wholeRecord();
    const profiles = (record.profiles ?? []).map((profile) =>
      profile.findings.kind === "cpuProfile"
        ? { ...profile, findings: { ...profile.findings, callTrees: [] } }
        : profile,
    );
    expect(chartsOf({ ...record, profiles }).map(({ name }) => name)).not.toContain("flame-graph");
  });

  it("leave nothing of a record's strings but text", async () => {
    for (const chart of chartsOf(await hostileRecord())) {
      const svg = await renderSvg(chart);
      expect(svg).not.toMatch(/<(?:script|img|a|foreignObject)\b/i);
      expect(svg).not.toMatch(/ on\w+="/);
      // oxlint-disable-next-line no-control-regex
      expect(svg).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/);
      expect(svg.replaceAll(/<[^>]*>/g, "")).not.toContain("<");
      expect(svg).toContain("&lt;script&gt;");
    }
  });
});
