import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import {
  cacheFolder,
  keepTimings,
  readTimings,
  requireKeeping,
  type KeptTimings,
  type TimingsKey,
} from "../src/threads/kept-timings.js";
import { temporaryFolder } from "./temporary-folder.js";

const key: TimingsKey = {
  platform: "linux",
  architecture: "x64",
  processor: "A processor",
  cores: 4,
  onnxruntime: "1.30.0",
  shapeHash: "0123456789abcdef",
  workers: 1,
};
const kept: KeptTimings = {
  source: "loading",
  timings: [
    { threads: 1, spinMicroseconds: 0, microseconds: 900 },
    { threads: 2, spinMicroseconds: 50, microseconds: 512.5 },
  ],
};

/** What the file system throws. */
const refused = { code: expect.stringMatching(/^E[A-Z]+$/) as string };

describe("kept timings", () => {
  it("are read as they were kept, by the same key alone", async () => {
    const folder = join(await temporaryFolder(), "not", "there");
    expect(await readTimings(folder, key)).toBeUndefined();
    const file = await keepTimings(folder, key, kept);
    expect(await readTimings(folder, key)).toEqual(kept);
    expect(await readdir(join(folder, "threads"))).toHaveLength(1);
    const others: readonly Partial<TimingsKey>[] = [
      { workers: 2 },
      { cores: 8 },
      { processor: "Another" },
      { shapeHash: "fedcba9876543210" },
      { onnxruntime: "1.31.0" },
    ];
    for (const other of others) {
      expect(await readTimings(folder, { ...key, ...other })).toBeUndefined();
    }
    expect(await readFile(file, "utf8")).not.toContain(folder);
  });

  it("replace those of the same key", async () => {
    const folder = await temporaryFolder();
    await keepTimings(folder, key, kept);
    const newer: KeptTimings = { ...kept, source: "tune" };
    await Promise.all([
      keepTimings(folder, key, newer),
      keepTimings(folder, key, newer),
      keepTimings(folder, key, newer),
    ]);
    expect(await readTimings(folder, key)).toEqual(newer);
    expect(await readdir(join(folder, "threads"))).toHaveLength(1);
  });

  it.each<[string, (text: string) => string]>([
    ["nothing", () => ""],
    ["a part of it", (text) => text.slice(0, text.length / 2)],
    ["another version's", (text) => text.replace('"version": 1', '"version": 2')],
    ["another program's", (text) => text.replace("streamgauge-threads", "other")],
    ["that of another machine under this name", (text) => text.replace("A processor", "B")],
    ["no times", (text) => text.replace(/"timings": \[[^\]]*\]/, '"timings": []')],
    ["times of nothing", (text) => text.replace("900", "-1")],
    ["more threads than cores", (text) => text.replace('"threads": 2', '"threads": 5000')],
    ["half a thread", (text) => text.replace('"threads": 2', '"threads": 1.5')],
    [
      "endless spinning",
      (text) => text.replace('"spinMicroseconds": 50', '"spinMicroseconds": 1e9'),
    ],
    ["a list", () => "[]"],
    ["far too much", (text) => text + " ".repeat(1 << 17)],
  ])("are ignored where the file holds %s", async (_, damage) => {
    const folder = await temporaryFolder();
    const file = await keepTimings(folder, key, kept);
    const text = await readFile(file, "utf8");
    expect(damage(text)).not.toBe(text);
    await writeFile(file, damage(text));
    expect(await readTimings(folder, key)).toBeUndefined();
  });

  it("are ignored where a folder stands in their place, and are not kept where a file does", async () => {
    const folder = await temporaryFolder();
    const file = await keepTimings(folder, key, kept);
    const elsewhere = await temporaryFolder();
    await mkdir(join(elsewhere, "threads", file.slice(join(folder, "threads").length)), {
      recursive: true,
    });
    expect(await readTimings(elsewhere, key)).toBeUndefined();
    await expect(keepTimings(elsewhere, key, kept)).rejects.toMatchObject(refused);
    // Nothing is left of the attempt.
    expect(await readdir(join(elsewhere, "threads"))).toHaveLength(1);
    const blocked = join(await temporaryFolder(), "file");
    await writeFile(blocked, "");
    await expect(keepTimings(blocked, key, kept)).rejects.toMatchObject(refused);
    expect(await readTimings(blocked, key)).toBeUndefined();
  });

  it("can be kept or not, which is found out without writing", async () => {
    const folder = await temporaryFolder();
    await requireKeeping(join(folder, "not", "there"));
    expect(await readdir(folder)).toEqual([]);
    const blocked = join(folder, "file");
    await writeFile(blocked, "");
    for (const place of [blocked, join(blocked, "deeper")]) {
      await expect(requireKeeping(place)).rejects.toThrow(/ENOTDIR|is no folder/);
    }
  });
});

describe("the cache folder", () => {
  it("is where the user says, or where the system keeps such files", () => {
    const said = { STREAMGAUGE_CACHE_DIR: "here", XDG_CACHE_HOME: "/x", LOCALAPPDATA: "/l" };
    expect(cacheFolder(said, "linux")).toBe(resolve("here"));
    expect(cacheFolder({ XDG_CACHE_HOME: "/x" }, "linux")).toBe(resolve("/x/streamgauge"));
    expect(cacheFolder({}, "linux")).toBe(join(homedir(), ".cache", "streamgauge"));
    for (const none of ["", "here"]) {
      expect(cacheFolder({ XDG_CACHE_HOME: none }, "linux")).toBe(cacheFolder({}, "linux"));
    }
    expect(cacheFolder({ LOCALAPPDATA: "/l" }, "win32")).toBe(resolve("/l/streamgauge"));
    expect(cacheFolder({}, "darwin")).toBe(join(homedir(), "Library", "Caches", "streamgauge"));
    expect(cacheFolder({ ...said, STREAMGAUGE_CACHE_DIR: "" }, "win32")).toBe(
      resolve("/l/streamgauge"),
    );
  });
});
