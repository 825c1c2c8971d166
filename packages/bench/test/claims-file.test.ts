import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { findPreset, parseClaims, readClaims, shippedClaimsFile } from "@streamgauge/bench";
import { select } from "../src/run/plan-stages.js";
import { isMadeFor } from "../src/conclude/claims.js";
import { inTemporaryFolder } from "./example-record.js";

const good = {
  id: "mine",
  metric: "overhead",
  treatment: "stream",
  limit: 0.02,
  of: { scenario: "paced", tokens: 100 },
};

describe("parseClaims", () => {
  it("gives back what is right", () => {
    const other = { ...good, id: "other", metric: "absoluteCost", limit: 12, of: {} };
    expect(parseClaims({ claims: [good, other] })).toEqual([good, other]);
    expect(parseClaims({ claims: [] })).toEqual([]);
  });

  it.each([
    [null, /"the file" must be an object/],
    [[good], /"the file" must be an object/],
    [{}, /"claims" must be an array/],
    [{ claims: {} }, /"claims" must be an array/],
    [{ claims: [], limits: [] }, /"the file\.limits" must be left out: the fields are claims/],
    [{ claims: [good, 7] }, /"claims\[1\]" must be an object/],
    [{ claims: [{ ...good, id: "" }] }, /"claims\[0\]\.id" must be a text/],
    [{ claims: [good, good] }, /"claims\[1\]\.id" must be unique, and "mine" is there twice/],
    [{ claims: [{ ...good, metric: "latency" }] }, /metric" must be one of overhead, absoluteCost/],
    [{ claims: [{ ...good, treatment: "generate" }] }, /treatment" must be one of stream, streamA/],
    [{ claims: [{ ...good, mode: "stream" }] }, /"claims\[0\]\.mode" must be left out: .* metric/],
    [{ claims: [{ ...good, limit: "5 %" }] }, /"claims\[0\]\.limit" must be a number > 0/],
    [{ claims: [{ ...good, limit: 0 }] }, /limit" must be a number > 0/],
    [{ claims: [{ ...good, limit: Infinity }] }, /limit" must be a number > 0/],
    [{ claims: [{ ...good, of: undefined }] }, /"claims\[0\]\.of" must be an object/],
    [{ claims: [{ ...good, of: { scenari: "x" } }] }, /of\.scenari" must be left out: .* scenario/],
    [{ claims: [{ ...good, of: { tokens: "100" } }] }, /of\.tokens" must be a number/],
    [{ claims: [{ ...good, of: { host: null } }] }, /of\.host" must be a string/],
  ])("refuses %j", (json, message) => {
    expect(() => parseClaims(json)).toThrow(
      expect.objectContaining({
        code: "INVALID_CLAIMS",
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});

describe("readClaims", () => {
  it("reads a file, and names it when it is wrong", async () => {
    await inTemporaryFolder(async (folder) => {
      const path = join(folder, "claims.json");
      await writeFile(path, JSON.stringify({ claims: [good] }));
      expect(await readClaims(path)).toEqual([good]);
      await writeFile(path, "{");
      await expect(readClaims(path)).rejects.toMatchObject({
        code: "INVALID_CLAIMS",
        message: expect.stringContaining(path) as string,
      });
    });
  });
});

describe("the shipped claims", () => {
  it("are made for cells that the standard profile has", async () => {
    const cells = select(findPreset("standard"), {}).flatMap((stage) => stage.cells);
    const claims = await readClaims(shippedClaimsFile);
    const held = claims.map((claim) => [
      claim.treatment,
      claim.limit,
      cells.filter((cell) => isMadeFor(claim, cell)).map(({ id }) => id),
    ]);
    const model = [10, 50, 100, 1000].map((tokens) => `pequod-pooled-${tokens}`);
    expect(held).toEqual([
      ["stream", 0.05, model],
      ["streamAsync", 0.1, model],
      ["stream", 40, ["paced-100us-pooled-100"]],
      ["streamAsync", 40, ["paced-100us-pooled-100"]],
      ["control", 0.0125, ["paced-100us-pooled-100"]],
      ["stream", 0.02, [model[0]]],
      ["streamAsync", 0.02, [model[0]]],
      ...model.slice(1).flatMap((cell) => [
        ["stream", 0.01, [cell]],
        ["streamAsync", 0.01, [cell]],
      ]),
    ]);
  });

  it("has the eight rows first of all in the quick profile", async () => {
    const cells = select(findPreset("quick"), {}).flatMap((stage) => stage.cells);
    const [sync, asynchronous] = await readClaims(shippedClaimsFile);
    expect(cells).toHaveLength(4);
    for (const claim of [sync, asynchronous]) {
      expect(cells.every((cell) => claim !== undefined && isMadeFor(claim, cell))).toBe(true);
    }
  });

  it("are in the package", async () => {
    const manifest = await readFile(new URL("../package.json", import.meta.url), "utf8");
    expect((JSON.parse(manifest) as { files: string[] }).files).toContain("claims.json");
  });
});
