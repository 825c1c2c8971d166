import { join } from "node:path";
import { checkModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { checkSpec } from "../src/check/check-model.js";
import { formatModelCheck } from "../src/cli/check-model.js";
import type { OnnxModelOptions } from "../src/engine/onnx-model.js";
import { temporaryFolder } from "./temporary-folder.js";
import { groupQueryRows } from "./zoo/group-query-rows.js";
import { refusedRows } from "./zoo/refused-rows.js";
import type { ZooRow } from "./zoo/zoo-row.js";

async function folderOf(rows: readonly ZooRow[], name: RegExp): Promise<string> {
  const row = rows.find((candidate) => name.test(candidate.name));
  if (row === undefined) throw new Error(`The zoo has no row ${name.source}.`);
  const folder = join(await temporaryFolder(), "model");
  await row.write(folder);
  return folder;
}

function specOf(folder: string): OnnxModelOptions {
  return {
    folder,
    dtype: undefined,
    executionProvider: "cpu",
    threads: 1,
    spinMicroseconds: 0,
    tuning: "rule",
    workers: 1,
    prefixReuse: true,
    maxBatch: undefined,
    operatorProfile: undefined,
  };
}

describe("checkModel", () => {
  it("finds the embedded model right in every way, with the reasons", async () => {
    const seen: string[] = [];
    const check = await checkModel({
      threads: 1,
      onProgress: ({ part, doneTokens, totalTokens }) => {
        expect(doneTokens).toBeLessThanOrEqual(totalTokens);
        if (seen.at(-1) !== part) seen.push(part);
      },
    });
    const names = ["alone", "second turn", "third turn", "cut back", "in pieces", "together"];
    expect(check.verdict).toBe("right");
    expect(check.parts.map(({ name }) => name)).toEqual(names);
    for (const { tokens, largestLogprobDifference } of check.parts) {
      expect(tokens).toBeGreaterThanOrEqual(8);
      expect(largestLogprobDifference).toBeLessThan(1e-4);
    }
    expect(seen).toEqual(["reading", "preparing", "warming up", ...names]);
    expect(check.description?.reasons.cache).toMatch(/GroupQueryAttention alone/);
    expect(check.text).toMatchObject({ tokenizer: "gives texts back", chatTemplate: "renders" });
    const text = formatModelCheck(check);
    expect(text).toMatch(/^pequod: llama, fp32, 2048 ids, context 1024, 1 thread\n/);
    expect(text).toMatch(/\n {2}together +right +56 tokens, log-probabilities within \de-\d\n/);
    expect(text).toMatch(/\nright: every id/);
  });

  it("finds where a graph is wrong that sees the buffer instead of the cache", async () => {
    const folder = await folderOf(groupQueryRows, /positions from the past's shape/);
    const spec = specOf(folder);
    const right = await checkSpec(spec, () => undefined, undefined);
    expect(right.verdict).toBe("right");
    expect(right.description).toMatchObject({
      cache: "fetched",
      maxBatch: 1,
      reasons: {
        cache: expect.stringMatching(/^past_key_values\.0\.key is read by Shape/) as string,
      },
    });
    const wrong = await checkSpec({ ...spec, forceInPlace: true }, () => undefined, undefined);
    expect(wrong.verdict).toBe("wrong");
    const [first] = wrong.parts;
    expect(first?.name).toBe("alone");
    expect(first?.difference?.index).toBeLessThanOrEqual(2);
    expect(formatModelCheck(wrong)).toMatch(
      /alone +wrong +at token \d behind a prompt of 7 ids: id \d+ with .*; without a cache id \d+.*\nwrong: alone, from token \d on$/s,
    );
  });

  it("says why a folder is refused, and does not throw", async () => {
    const model = await folderOf(refusedRows, /encoder's states/);
    const check = await checkModel({ model });
    expect(check).toMatchObject({
      verdict: "refused",
      refusal: { code: "MODEL_UNSUPPORTED" },
      description: undefined,
      parts: [],
    });
    expect(formatModelCheck(check)).toMatch(/^refused: model\nMODEL_UNSUPPORTED: .*encoder_hidden/);
    // A folder's own words are not obeyed by a terminal.
    expect(formatModelCheck({ ...check, folder: "/models/\u001B[2Jmodel" })).toMatch(
      /^refused: \uFFFD\[2Jmodel\n/,
    );
    expect(await checkModel({ model: join(model, "nowhere") })).toMatchObject({
      verdict: "refused",
      refusal: { code: "MODEL_NOT_FOUND" },
    });
  });

  it("stops at the next step when it is told to, and refuses what it cannot check", async () => {
    const interrupt = new AbortController();
    const reason = new Error("enough");
    const onProgress = ({ part }: { readonly part: string }): void => {
      if (part === "third turn") interrupt.abort(reason);
    };
    await expect(checkModel({ onProgress, signal: interrupt.signal })).rejects.toBe(reason);
    await expect(checkModel({ threads: 0 })).rejects.toMatchObject({ code: "INVALID_OPTION" });
    await expect(checkModel({ dtypes: "q4" } as object)).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });
});
