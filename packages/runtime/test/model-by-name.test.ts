import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { embeddedModel, locateModel, pullModel } from "@streamgauge/runtime";
import {
  buildModelCommand,
  checkModelCommand,
  demoCommand,
  generateCommand,
} from "@streamgauge/runtime/cli";
import type { Command } from "commander";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { filesIn, firstCommit, hubModel, serveHub } from "./hub-server.js";
import { temporaryFolder } from "./temporary-folder.js";

let cache: string;

beforeEach(async () => {
  cache = await temporaryFolder();
  vi.stubEnv("HF_HUB_CACHE", cache);
  const { endpoint } = await serveHub(await filesIn(embeddedModel));
  await pullModel({ name: hubModel, endpoint });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What a command writes to standard output. */
async function outputOf(command: Command, ...flags: string[]): Promise<string> {
  let output = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const { exitCode } = process;
  try {
    await command.parseAsync(flags, { from: "user" });
  } finally {
    process.exitCode = exitCode;
  }
  return output;
}

const said = "It is not down in any map;";

describe("a pulled model, by its name", () => {
  it.each<[string, () => Promise<string>, RegExp]>([
    [
      "generate",
      () => outputOf(generateCommand(), said, "--max-tokens", "3", "--model", `hub:${hubModel}`),
      /./,
    ],
    [
      "demo",
      () => outputOf(demoCommand(), said, "--model", `hub:${hubModel}`),
      /owner\/tiny, worker thread/,
    ],
    [
      "check-model",
      () => outputOf(checkModelCommand(), `hub:${hubModel}`, "--threads", "1"),
      /^owner\/tiny: llama, fp32.*\nright: every id/s,
    ],
  ])("is taken by the command %s", async (_, run, expected) => {
    expect(await run()).toMatch(expected);
  });

  it.each<[string, () => Promise<string>]>([
    ["generate", () => outputOf(generateCommand(), said, "--model", "hub:owner/other")],
    ["demo", () => outputOf(demoCommand(), said, "--model", "hub:owner/other")],
    ["check-model", () => outputOf(checkModelCommand(), "hub:owner/other")],
  ])("is named with its remedy by the command %s where it was not pulled", async (_, run) => {
    await expect(run()).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining("`streamgauge pull owner/other`") as string,
    });
  });

  it("is no checkpoint", async () => {
    const out = join(cache, "out");
    await expect(outputOf(buildModelCommand(), `hub:${hubModel}`, out)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/hub:owner\/tiny.*Download the checkpoint itself/s) as string,
    });
  });
});

describe("locateModel", () => {
  const folder = (): string => join(cache, "models--owner--tiny", "snapshots", firstCommit);

  it("finds a pulled model, and which commit its revision was", () => {
    const revisions: [name: string, revision: string][] = [
      [hubModel, "main"],
      [`${hubModel}@main`, "main"],
      [`${hubModel}@${firstCommit}`, firstCommit],
    ];
    for (const [name, revision] of revisions) {
      expect(locateModel(`hub:${name}`)).toEqual({
        folder: folder(),
        hub: { name: hubModel, revision, commit: firstCommit },
      });
    }
  });

  it("makes paths and file URLs absolute, whether or not there is something", () => {
    expect(locateModel("models/mine")).toEqual({ folder: resolve("models/mine"), hub: undefined });
    expect(locateModel(pathToFileURL(folder()))).toEqual({ folder: folder(), hub: undefined });
  });

  it.each([
    ["hub:owner/other", "MODEL_NOT_FOUND"],
    ["hub:../owner", "INVALID_OPTION"],
    ["hub:", "INVALID_OPTION"],
  ])("refuses %s", (model, code) => {
    expect(() => locateModel(model)).toThrow(expect.objectContaining({ code }));
  });
});
