import { beforeAll, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { renderBenchmarks, renderChangelogSnippet } from "@streamgauge/report";
import { everything, fixtureRecord } from "./fixture.js";
import { wholeRecord } from "./whole-record.js";

let record: ResultRecord;
let text: string;
beforeAll(async () => {
  record = await wholeRecord();
  text = everything(record);
});

/** What is between a heading and the next. */
function sectionOf(title: string, of = text): string {
  const [, after = ""] = of.split(`${title}\n`);
  return after.split(/\n#{2,3} /)[0] ?? "";
}

describe("renderBenchmarks of a record with something of everything", () => {
  it("prints every definition, and none twice on a page", () => {
    const plain = text.replaceAll("\\", "").replaceAll("&lt;", "<");
    for (const { metric } of record.definitions) {
      expect([metric, plain.split(`**${metric}**`).length]).toEqual([metric, 2]);
    }
  });

  it("says which variant a cell is, only where there are variants", async () => {
    expect(sectionOf("## Throughput")).toMatch(/\| pequod \| {2}\| pooled \| 10 \| generate \|/);
    expect(sectionOf("## Throughput")).toMatch(/\| pequod \| json callback \| pooled \| 50 \|/);
    expect(sectionOf("## Verdicts")).toContain(
      "| pequod | json callback | pooled | sync stream | 50 |",
    );
    expect(everything(await fixtureRecord())).not.toMatch(/variant|processes|look \|/);
  });

  it("names processes, what one sample is, and the look that decided", () => {
    const verdicts = sectionOf("## Verdicts");
    expect(verdicts).toMatch(/\| 10 \|.*\| 6 \(means\) \|.*\| 2 of 2 \|/);
    expect(verdicts).toMatch(/\| 50 \|.*\| 6 \(too few\) \|/);
    expect(verdicts).toContain(
      "Planned looks, and the level of their one-sided bounds: after 3 processes at 97.9 %; after 6 processes at 95.8 %.",
    );
    expect(sectionOf("## Absolute cost")).toContain("**sample level**: ");
    expect(sectionOf("## Control: generate against itself")).toContain("| 6 (means) |");
  });

  it("has the claims of no difference apart, with their 90 % interval", () => {
    expect(sectionOf("## Verdicts on no difference")).toMatch(
      /\| generate again \| 10 \| -?\d\.\d\d % \| -?\d\.\d\d to -?\d\.\d\d % \|.*\| ± 1\.25 % \| upheld \|/,
    );
    expect(renderChangelogSnippet(record)).toMatch(
      /^- Validated: no difference within ± 1\.25 % between generate again and generate \(pequod, 10 tokens: -?\d\.\d\d % \(.+\)\)\.$/m,
    );
    const refuted = record.claims.map((claim) => ({ ...claim, verdict: "refuted" as const }));
    expect(renderChangelogSnippet({ ...record, claims: refuted })).toContain(
      "Adjusted: generate again differs from generate by more than ± 1.25 % (",
    );
  });

  it("shows how slow runs compare", () => {
    expect(sectionOf("## Slow runs")).toMatch(
      /\| pooled \| 10 \| 14\.1 % \(8\.1 to 20\.1\) \| – \|/,
    );
  });

  it("shows the callback's time beside the cost, and its distribution", () => {
    expect(sectionOf("## Absolute cost")).toMatch(
      /\| pequod \| json callback \| pooled \| 50 \|.*\| 1\.3 \/ – \| 6 \(too few\) \|/,
    );
    expect(sectionOf("## Time in the callback")).toContain("| 1.2 µs | 1.8 µs | 3.0 µs |");
  });

  it("shows net estimates of known delays", () => {
    expect(sectionOf("## Calibration: known delays")).toContain(
      "| 3.1 % (2.5 to 3.7) | 3.1 % (2.5 to 3.7) | 6.1 % (5.6 to 6.6) | 6.1 % (5.6 to 6.6) | yes |",
    );
  });

  it("shows loads: with the waiting and without, aborts and slow consumers", () => {
    expect(sectionOf("## Arrivals at a set rate")).toContain(
      "| pequod | pooled | sync stream | 10 | 0.70 of 2 | 35.0 / 34.5 | 40.00 ms | " +
        "12.0 / 95.0 | 61.0 / 240.0 | 41.0 / 52.0 | 0.3 / 2.1 | 200 |",
    );
    expect(sectionOf("## Aborting")).toContain(
      "| generate | 10 | 38 + 2 | 850.0 µs | 1.90 ms | 3.80 ms | – | – |",
    );
    expect(sectionOf("## Aborting")).toContain(
      "| sync stream | 10 | 38 + 0 | 850.0 µs | 1.90 ms | 3.80 ms | 41 | 3 |",
    );
    expect(sectionOf("## A consumer slower than the engine")).toContain(
      "| 2000 | 16 | 1.020 | 17 | 30.00 ms | 34.00 ms | 2.0 MiB |",
    );
  });

  it("shows what it costs to split a stream", () => {
    expect(sectionOf("## One stream for two readers")).toContain(
      "| pequod | pooled | 10 | two, teeTokens() | 13.5 | 1.5 (1.3 to 1.8) | 10000.0 | 20.0 µs | 90.0 µs | 6 |",
    );
  });

  it("shows what each way between threads costs, and what became of its claims", () => {
    const burst = sectionOf("## Between threads: 20000 tokens in a burst");
    expect(burst).toContain("| less the load |");
    expect(burst).toContain("| CPU / CPU of postMessage |");
    for (const row of [
      "| ring | yes | 0.303 | 0.250 (0.230 to 0.270) | 5400000 | 1.3 µs | 177.0 µs | 354.0 µs | 0.129 (0.117 to 0.141) | – |",
      "| postMessage | no | 2.50 | 2.36 (2.16 to 2.56) | 568075 | 7.03 ms | 20.89 ms | 41.78 ms | – | 7.73 (7.23 to 8.23) |",
      "| none | – | 0.0600 | – | 16000000 | – | – | – | – | – |",
      "- 20 blocks; paced-0us-inline makes the tokens.",
      "- CPU of ring / CPU of postMessage: 0.129 (0.117 to 0.141); limit &lt; 0.2: void. Noise: it is loud.",
    ]) {
      expect(burst).toContain(row);
    }
  });

  it("shows rings of many sizes as a grid for each quantity", () => {
    const load = "1000 tokens, 100 µs of sleep before each";
    const cpu = sectionOf(`## Rings, ${load}: CPU, µs per token`);
    expect(cpu).toContain("| slots | batch 1 | batch 64 |");
    expect(cpu).toContain("| 1 | 41.2 | – |\n| 256 | 0.410 | 0.350 |");
    expect(cpu).toContain("- 22 blocks, whose times still drift after the warm-up;");
    expect(sectionOf(`### Rings, ${load}: tokens/s`)).toContain("| 256 | 2439024 | 2857143 |");
    expect(sectionOf(`### Rings, ${load}: delivery latency, p50`)).toContain(
      "| 1 | 412.0 µs | – |",
    );
    expect(sectionOf(`### Rings, ${load}: delivery latency, p99`)).toContain("| 1 | 4.12 ms | – |");
  });

  it("joins peak memory and what the same mode allocates", () => {
    const plain = {
      ...record,
      cells: record.cells.filter(({ workload }) => workload === undefined),
    };
    const memory = sectionOf("## Peak memory and bytes per token", everything(plain));
    expect(memory).toContain("| array buffers | allocated per token, main |");
    expect(memory).toMatch(
      /\| pequod-pooled \| 150\.0 MiB \/ 150\.0 MiB \/ 150\.0 MiB \|.*\| – \/ 832 B \/ – \|\n/,
    );
    expect(memory).toMatch(/\| paced-0us-pooled \|.*MiB \| {2}\|\n/);
    expect(memory).toContain("- The whole process took at most 160.0 MiB of resident memory.");
  });

  it("shows a profile of each kind, and what each costs", () => {
    expect(sectionOf("## Profiles, and what they cost")).toContain("**cost of a profile**: ");
    const hottest = sectionOf("### CPU profile: the hottest functions");
    expect(hottest).toContain(
      "- Cost of the profile, pequod pooled, sync stream: 4.3 % (3.1 to 5.5), " +
        "31.0 (27.0 to 35.0) µs per token (without it, against itself: 0.1 % (-0.1 to 0.3); 12 blocks); " +
        "14 generations profiled.\n" +
        "- Files: profiles/main.cpuprofile, profiles/worker-0.cpuprofile.",
    );
    expect(sectionOf("### Operators")).toContain(
      "sync stream: unknown, 2 blocks are too few; 14 generations profiled.",
    );
    const rows = {
      "### CPU profile: whose code": "| 10 | main | 21.5 | 420 | ring 13.1 µs (61.0 %) |",
      "### CPU profile: the hottest functions":
        "| main | poll (ring/consumer.js:52) | ring | 9.2 | 42.8 % |",
      "### Allocations": "| main | 832 B | 11.3 | 150.0 MiB | 20.0 MiB | 3.0 MiB | 1.0 MiB |",
      "### Allocations: where most bytes are": "| main | next (a.js:9) | adapter | 512 B |",
      "### Timeline: garbage collections and late event loops":
        "| worker 0 | 7 | 9.5 | 4.1 | 6.2 |",
      "### Timeline: the slowest gaps between tokens":
        "| 6.40 ms | 99.90 % | 8 of run 3 | major GC 4.1 ms on worker 0 |",
      "### Promises": "| main | 3.02 | 4.4 |",
      "### Operators": "| MatMulNBits | 480 | 612.3 | 81.2 % |",
      "### Ledger: a token's way":
        "| published → consumer awake | 14.0 µs | 21.0 µs | 80.0 µs | 160.0 µs | 100 |",
    };
    for (const [title, row] of Object.entries(rows)) expect(sectionOf(title)).toContain(row);
    expect(sectionOf("### Timeline: the slowest gaps between tokens")).toMatch(
      / of run \d+ \| unknown \|/,
    );
    expect(sectionOf("### Operators")).toContain("| (the whole run) |  | 801.5 |  |");
    expect(sectionOf("### Ledger: a token's way")).toContain(
      "| residual per generation | 120.0 µs |",
    );
  });

  it("names what failed beside the cells, and what the samples are", () => {
    expect(text).toContain(
      "Intervals are 95 %, two-sided, over blocks or means of processes, never over tokens.",
    );
    const failedMeasurements = [{ id: "pequod ledger", code: "OUT", message: "It broke." }];
    expect(renderBenchmarks({ ...record, failedMeasurements })).toContain(
      "- Failed: pequod ledger. OUT: It broke.",
    );
  });

  it("has no section for what a record has nothing of", async () => {
    const titles = everything(await fixtureRecord()).match(/^##+ .*$/gm);
    expect(titles).not.toContainEqual(
      expect.stringMatching(
        /no difference|callback|Arrivals|Aborting|consumer|threads|Rings|Profile|Ledger/,
      ),
    );
  });

  it("shows names of functions and threads as text", () => {
    const hostile = "a|b <img> `c`";
    const profiles = (record.profiles ?? []).map((profile) => ({
      ...profile,
      files: [hostile],
      findings:
        profile.findings.kind === "cpuProfile"
          ? {
              ...profile.findings,
              hotFunctions: profile.findings.hotFunctions.map((own) => ({ ...own, name: hostile })),
            }
          : profile.findings,
    }));
    const shown = everything({ ...record, profiles });
    expect(shown).toContain(String.raw`| a\|b &lt;img&gt; \`c\` |`);
    expect(shown).not.toContain("<img");
  });
});
