import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { exportedText } from "./exported.js";
import { fixtureRecord } from "./fixture.js";
import { hostileRecord } from "./hostile-record.js";
import { wholeRecord } from "./whole-record.js";

/** Speedscope's own. */
const schema = z.fromJSONSchema(
  createRequire(import.meta.url)("speedscope/dist/release/file-format-schema.json"),
);

interface SpeedscopeFile {
  readonly shared: {
    readonly frames: readonly { readonly name: string; readonly file?: string }[];
  };
  readonly profiles: readonly {
    readonly name: string;
    readonly endValue: number;
    readonly samples: readonly (readonly number[])[];
    readonly weights: readonly number[];
  }[];
}

describe("the export for speedscope", () => {
  it("is what its schema says, with a profile for each thread", async () => {
    const text = await exportedText("speedscope", await wholeRecord());
    schema.parse(JSON.parse(text));
    const { shared, profiles } = JSON.parse(text) as SpeedscopeFile;
    expect(profiles.map(({ name, endValue }) => [name, endValue])).toEqual([
      ["main: pequod, pooled, sync stream, 10 tokens; µs per token", 20],
      ["worker 0: pequod, pooled, sync stream, 10 tokens; µs per token", 200],
    ]);
    const [{ samples, weights }] = profiles as [SpeedscopeFile["profiles"][number]];
    const stacks = samples.map((stack) =>
      stack.map((index) => shared.frames[index]!.name).join(" "),
    );
    expect(stacks).toEqual(["next", "next poll", "next poll load", "(program)"]);
    expect(weights).toEqual([5, 9, 4, 2]);
    expect(shared.frames[0]).toEqual({
      name: "next",
      file: "@streamgauge/core/dist/adapters/async-iterable.js",
      line: 52,
    });
    expect(shared.frames.find(({ name }) => name === "(program)")).toEqual({ name: "(program)" });
  });

  it("keeps hostile names as texts", async () => {
    const text = await exportedText("speedscope", await hostileRecord());
    expect(schema.safeParse(JSON.parse(text)).success).toBe(true);
  });

  it("is refused for a record without calls, with what to do", async () => {
    await expect(exportedText("speedscope", await fixtureRecord())).rejects.toMatchObject({
      code: "INVALID_RECORD",
      message: expect.stringMatching(/no calls of a CPU profile: run the bench with --cpu-profile/),
    });
  });
});
