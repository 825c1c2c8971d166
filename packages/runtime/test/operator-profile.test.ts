import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInlineGenerator, createRuntime, pacedModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  readonly dur: number;
  readonly args: { readonly op_name?: string };
}

async function readProfile(file: string): Promise<readonly TraceEvent[]> {
  return JSON.parse(await readFile(file, "utf8")) as TraceEvent[];
}

const maxTokens = 12;

describe("the operator profile", () => {
  it("has the times of every operator, in a file for each worker", async () => {
    const folder = await temporaryFolder();
    const runtime = await createRuntime({
      workers: 2,
      threads: 1,
      operatorProfile: join(folder, "operators"),
    });
    const { ids } = await runtime.generate("It is not", { maxTokens, ignoreEos: true });
    expect(runtime.operatorProfiles()).toEqual([]);
    await runtime.close();
    const files = runtime.operatorProfiles();
    expect(files).toHaveLength(2);
    expect((await readdir(folder)).map((name) => join(folder, name)).toSorted()).toEqual(
      files.toSorted(),
    );
    let runs = 0;
    for (const file of files) {
      expect(file).toMatch(/operators-\d+-[0-9a-f]{8}_[^/]*\.json$/);
      const events = await readProfile(file);
      const kernels = events.filter(
        ({ cat, name }) => cat === "Node" && name.endsWith("_kernel_time"),
      );
      const operators = new Set(kernels.map(({ args }) => args.op_name));
      expect(operators).toContain("GroupQueryAttention");
      expect(kernels.every(({ dur }) => dur >= 0)).toBe(true);
      runs += events.filter(({ name }) => name === "model_run").length;
    }
    // The prompt in one run and a run for each token but the last; of the same
    // kind, four that try whether sequences may share a run, and five for each worker's warm-up.
    expect(runs).toBe(ids.length + 2 * 9);
  });

  it("is written without a pool too", async () => {
    const folder = await temporaryFolder();
    const generator = await createInlineGenerator({ operatorProfile: join(folder, "inline") });
    await generator.close();
    const [file = ""] = generator.operatorProfiles();
    expect((await readProfile(file)).map(({ cat }) => cat)).toContain("Node");
  });

  it("is not written unless asked for", async () => {
    const generator = await createInlineGenerator();
    await generator.close();
    expect(generator.operatorProfiles()).toEqual([]);
  });

  it.each<[string, object, RegExp]>([
    ["an empty prefix", { operatorProfile: "" }, /operatorProfile is ""; it must be a path prefix/],
    ["a number", { operatorProfile: 5 }, /operatorProfile is 5/],
    [
      "the paced model",
      { operatorProfile: "here", model: pacedModel({ stepMicroseconds: 0 }) },
      /paced model has no operators.*leave operatorProfile out/,
    ],
    [
      "a folder that does not exist",
      { operatorProfile: join(import.meta.dirname, "no", "such", "folder") },
      /could not write a file in .*such.*folder that exists/,
    ],
  ])("refuses %s", async (_, options, message) => {
    for (const open of [createRuntime, createInlineGenerator]) {
      await expect(open(options)).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringMatching(message) as string,
      });
    }
  });
});
