import type { StreamToken } from "@streamgauge/core";
import { describe, expect, it } from "vitest";
import { findWorkload, workloadOutput, workloads } from "../src/plan/workloads.js";
import { plainToken } from "../../core/test/plain-token.js";

const token = (index: number, text: string): StreamToken => plainToken(index, { id: 7, text });

/** What a workload leaves behind after these texts. */
async function outputOf(name: string, texts: readonly string[]): Promise<string> {
  workloadOutput.last = "";
  const take = findWorkload(name).create();
  for (const [index, text] of texts.entries()) await take(token(index, text));
  return workloadOutput.last;
}

describe("workloads", () => {
  it("have names of their own, by which they are found", () => {
    const names = workloads.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const workload of workloads) expect(findWorkload(workload.name)).toBe(workload);
    expect(() => findWorkload("none")).toThrow(/no workload "none".*busy-50us/);
  });

  it("do what they are named for", async () => {
    expect(await outputOf("empty", ["a"])).toBe("");
    expect(await outputOf("format", ["a", "\n"])).toBe(`    1 7 "\\n"`);
    expect(await outputOf("accumulate", ["Call ", "me"])).toBe("e");
    const event = await outputOf("json", ["Call"]);
    expect(event).toMatch(/^data: \{.*\}\n\n$/s);
    expect(JSON.parse(event.slice("data: ".length))).toMatchObject({
      choices: [{ delta: { content: "Call" }, finish_reason: null }],
    });
  });

  it("return a promise exactly where they say so", () => {
    for (const workload of workloads) {
      const isPromise = workload.create()(token(0, "a")) instanceof Promise;
      expect([workload.name, isPromise]).toEqual([
        workload.name,
        ["promise", "async"].includes(workload.name),
      ]);
    }
  });

  it("start afresh for each generation", async () => {
    const accumulate = findWorkload("accumulate");
    await accumulate.create()(token(0, "a"));
    await accumulate.create()(token(0, ""));
    expect(workloadOutput.last).toBe("");
  });
});
