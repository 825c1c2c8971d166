// Records, lines of histories and claims that nobody here wrote. What their readers let through,
// the terminal, verify and the trends have to take.
import { readFile } from "node:fs/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import fc, { type Arbitrary } from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { parseClaims, shippedClaimsFile } from "@streamgauge/bench";
import { renderVerification } from "../src/commands/verify-command.js";
import { parseHistoryLine } from "../src/history/history-line.js";
import { renderHistory } from "../src/history/history-summary.js";
import { trendsOf } from "../src/history/trends.js";
import { LoadSamplesWriter, readLoadSamples } from "../src/load/load-samples.js";
import { readRawSamples } from "../src/measure/raw-samples.js";
import { parseRecord, type ResultRecord } from "../src/record/index.js";
import { verifyRecord } from "../src/run/verify.js";
import { summarize } from "../src/summary/index.js";
import { answerLines } from "../src/terminal/answer-lines.js";
import { renderSummary } from "../src/terminal/summary.js";
import { expectShowable, outcomeOf } from "../../core/test/fuzz-outcome.js";
import {
  asParsed,
  changedDocument,
  fuzzParameters,
  hostileJson,
  hostileString,
} from "../../core/test/hostile-input.js";
import { exampleEngine } from "./example-engine.js";
import { withLoadsAndProfiles } from "./example-profiles.js";
import { exampleRun, type ExampleRun } from "./example-record.js";
import { exampleStacks } from "./example-stacks.js";
import { exampleTransports } from "./example-transports.js";
import { cellPlan } from "./plans.js";

let run: ExampleRun;
let record: ResultRecord;
beforeAll(async () => {
  run = await exampleRun(cellPlan({ id: "first" }), cellPlan({ id: "second" }));
  const whole = {
    ...withLoadsAndProfiles(run.record),
    transports: exampleTransports,
    stacks: exampleStacks,
    engine: exampleEngine,
  };
  // As it is in a file.
  record = parseRecord(JSON.parse(JSON.stringify(whole)));
});

/** Which outcomes there were: a fuzzer that has seen only one tests nothing. */
async function fuzz<T>(
  seed: number,
  cases: Arbitrary<T>,
  codes: readonly string[],
  attempt: (given: T) => unknown,
): Promise<readonly string[]> {
  const outcomes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(cases, async (given) => {
      outcomes.add(await outcomeOf(() => attempt(given), codes));
    }),
    fuzzParameters(seed),
  );
  return [...outcomes].toSorted();
}

it("shows and verifies whatever is a record, and refuses what is none", async () => {
  const outcomes = await fuzz(
    1903,
    changedDocument(record).map(asParsed),
    ["INVALID_RECORD"],
    async (given) => {
      const parsed = parseRecord(given);
      const recordPath = "results/record.json";
      expectShowable(renderSummary(parsed, { unicode: true, color: false, recordPath }));
      const lines = answerLines(summarize(parsed), { unicode: true, color: false, width: 80 });
      expectShowable(lines.join("\n"));
      const verification = await verifyRecord(parsed, (file) => {
        const bytes = run.files.get(file);
        if (bytes !== undefined) return Promise.resolve(bytes);
        return Promise.reject(
          Object.assign(new Error(`no such file ${file}`), { syscall: "open" }),
        );
      });
      expectShowable(renderVerification(parsed, verification, { unicode: true, recordPath }));
    },
  );
  expect(outcomes).toEqual(["INVALID_RECORD", "done"]);
}, 1_800_000);

const line = {
  version: 1,
  commit: "0123456789abcdef0123456789abcdef01234567",
  measuredAt: "2026-11-25T04:00:43.680Z",
  machine: "a-cpu",
  runId: "run",
  profile: "quick",
  metrics: { "cell stream µs/token": 1.5, "cell stream overhead %": -2 },
};

it("reads lines of a history and shows their trends, or says what is wrong", async () => {
  const named = fc
    .array(fc.tuple(hostileString(), fc.double({ noNaN: true, noDefaultInfinity: true })))
    .map((metrics) => ({ ...line, metrics: Object.fromEntries(metrics) }));
  const text = fc.oneof(
    hostileJson(changedDocument(line)),
    named.map((given) => JSON.stringify(given)),
  );
  const outcomes = await fuzz(
    1904,
    fc.array(text, { minLength: 1, maxLength: 4 }),
    ["INVALID_RECORD"],
    (texts) => {
      const lines = texts.map(parseHistoryLine);
      const trends = trendsOf({ machine: "a-cpu", lines });
      for (const { points } of trends) {
        for (const { value } of points) expect(value).toBeTypeOf("number");
      }
      for (const unicode of [true, false]) {
        expectShowable(renderHistory("a-cpu", trends, { unicode }));
      }
    },
  );
  expect(outcomes).toEqual(["INVALID_RECORD", "done"]);
}, 600_000);

it("reads claims, or says what is wrong", async () => {
  const claims: unknown = JSON.parse(await readFile(shippedClaimsFile, "utf8"));
  const outcomes = await fuzz(
    1905,
    changedDocument(claims).map(asParsed),
    ["INVALID_CLAIMS"],
    (given) => {
      for (const { limit, of } of parseClaims(given)) {
        expect(limit).toBeGreaterThan(0);
        expect(Object.getPrototypeOf(of)).toBe(Object.prototype);
      }
    },
  );
  expect(outcomes).toEqual(["INVALID_CLAIMS", "done"]);
}, 600_000);

/** Files whose first line is another, and what follows it as it was. */
function otherHeaders(file: Uint8Array): Arbitrary<Uint8Array> {
  const content = gunzipSync(file);
  const end = content.indexOf("\n");
  const header: unknown = JSON.parse(content.toString("utf8", 0, end));
  return hostileJson(changedDocument(header)).map((text) =>
    gzipSync(Buffer.concat([Buffer.from(text), content.subarray(end)])),
  );
}

it("reads raw samples behind any header, or says what is wrong", async () => {
  const [file] = run.files.values();
  const outcomes = await fuzz(1906, otherHeaders(file!), ["INVALID_RAW_SAMPLES"], async (given) => {
    const { runId, cell, blocks } = await readRawSamples(given);
    expect([typeof runId, typeof cell]).toEqual(["string", "string"]);
    expect(blocks.length).toBeGreaterThan(0);
  });
  expect(outcomes).toEqual(["INVALID_RAW_SAMPLES", "done"]);
}, 600_000);

it("reads raw samples of a load behind any header, or says what is wrong", async () => {
  const writer = new LoadSamplesWriter({ runId: "run", step: 0, shard: 1, of: 2 });
  for (const index of [0, 1, 2]) {
    writer.add({
      index,
      stage: 0,
      dueNanoseconds: index * 1e6,
      latenessNanoseconds: 5,
      outcome: index === 1 ? "failed" : "completed",
      error: index === 1 ? "HTTP 429" : null,
      outputTokens: 2,
      promptTokens: null,
      endNanoseconds: 4e6,
      deliveredNanoseconds: [1e6, 3e6],
    });
  }
  const file = await writer.finish();
  const outcomes = await fuzz(1907, otherHeaders(file), ["INVALID_RAW_SAMPLES"], async (given) => {
    const { runId, step, shard, of, requests } = await readLoadSamples(given);
    expect(typeof runId).toBe("string");
    for (const number of [step, shard, of]) expect(number).toBeGreaterThanOrEqual(0);
    expect(requests.map(({ error }) => error === null)).toEqual([true, false, true]);
  });
  expect(outcomes).toEqual(["INVALID_RAW_SAMPLES", "done"]);
}, 600_000);
