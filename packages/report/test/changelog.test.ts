import { describe, expect, it } from "vitest";
import type { ResultRecord, Verdict } from "@streamgauge/bench/record";
import { renderChangelogSnippet, renderChangeset } from "@streamgauge/report";
import { fixtureRecord } from "./fixture.js";

async function snippetOf(verdict: Verdict): Promise<string> {
  const record = await fixtureRecord();
  return renderChangelogSnippet({
    ...record,
    claims: record.claims.map((claim) => ({ ...claim, verdict })),
  });
}

describe("renderChangelogSnippet", () => {
  it("renders the fixture as the snapshot", async () => {
    await expect(renderChangelogSnippet(await fixtureRecord())).toMatchFileSnapshot(
      "fixtures/changelog.md.snap",
    );
  });

  it.each([
    ["upheld", /^- Validated: sync stream under 5 % overhead \(10 tokens: /m],
    ["refuted", /^- Adjusted: async stream does not stay under 10 % overhead \(10 tokens: /m],
    ["inconclusive", /^- Not shown: sync stream under 5 % overhead/m],
    [
      "void",
      /^- Not shown \(the control differed from itself, or the cell failed\): async stream/m,
    ],
  ] as const)("words %s", async (verdict, expected) => {
    expect(await snippetOf(verdict)).toMatch(expected);
  });

  it("words a claim on the absolute cost in its unit", async () => {
    const record = await fixtureRecord();
    const claims = record.claims
      .filter(({ treatment }) => treatment === "stream")
      .map((claim) => ({ ...claim, metric: "absoluteCost" as const, limit: 40 }));
    expect(renderChangelogSnippet({ ...record, claims })).toMatch(
      /^- \w.*: sync stream (under|does not stay under) 40 µs per token \(pequod, 10 tokens: -?[\d.]+ \(.+\) µs/m,
    );
  });

  it("says when nothing was tested", async () => {
    const record = await fixtureRecord();
    expect(renderChangelogSnippet({ ...record, claims: [] })).toContain("No claim");
  });
});

/** With a claim about the absolute cost beside those of the fixture. */
function withCostClaim(record: ResultRecord): ResultRecord {
  const [claim] = record.claims;
  const cost = { id: "cost", metric: "absoluteCost", limit: 40 } as const;
  return { ...record, claims: [...record.claims, { ...claim!, ...cost }] };
}

describe("renderChangeset", () => {
  it("compares two records of one class of machines", async () => {
    const now = withCostClaim(await fixtureRecord());
    const before: ResultRecord = {
      ...now,
      startedAt: "2025-12-01T00:00:00.000Z",
      profile: "standard",
      claims: now.claims.map((claim) => ({ ...claim, verdict: "inconclusive" })),
    };
    const text = renderChangeset(now, before);
    expect(text).toMatch(/^---\n"@streamgauge\/runtime": patch\n---\n\nWhat streaming costs/);
    expect(text).toContain(
      "- Validated: sync stream under 5 % overhead (10 tokens: 0.8 % (0.5 to 1.1), " +
        "before 0.8 % (0.5 to 1.1) and inconclusive, changed by 0.0 % (",
    );
    expect(text).toMatch(/µs, before [\d.]+ \(.*\) µs and inconclusive[;)]/);
    expect(text).toContain('"Before" is the run of 2025-12-01T00:00:00.000Z, profile standard');
    expect(renderChangeset(now, before)).toBe(text);
  });

  it("compares nothing between classes of machines, and says so", async () => {
    const record = await fixtureRecord();
    const environment = { ...record.environment, logicalCores: 96, cpuModel: "Other*" };
    const text = renderChangeset(record, { ...record, environment });
    expect(text).not.toMatch(/before|changed by/);
    expect(text).toMatch(/Not compared with .*another class of machines \(other-96-cores.*, now /);
  });

  it("says nothing of a release before where there was none, or of what it had not", async () => {
    const record = await fixtureRecord();
    expect(renderChangeset(record)).not.toMatch(/before|compared with/i);
    expect(renderChangeset(record, { ...record, cells: [] })).not.toMatch(/before -?\d/);
  });
});
