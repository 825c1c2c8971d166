import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { prepareVersion } from "../src/gate/version.js";
import { inTemporaryFolder } from "./example-record.js";

const execute = promisify(execFile);

/** A workspace as far as a gate looks into it. */
async function makeWorkspace(folder: string): Promise<void> {
  const runtime = join(folder, "packages", "runtime");
  await mkdir(join(runtime, "dist"), { recursive: true });
  const exports = { ".": { default: "./dist/entry.js" } };
  await writeFile(join(runtime, "package.json"), JSON.stringify({ exports }));
  await writeFile(join(runtime, "dist", "index.js"), "");
}

describe("a version of a gate", () => {
  it("is a folder as it is, with its runtime where its exports say", async () => {
    await inTemporaryFolder(async (folder) => {
      await makeWorkspace(folder);
      const steps: string[] = [];
      const version = await prepareVersion(folder, {
        repository: folder,
        onStep: (step) => steps.push(step),
      });
      expect(steps).toEqual([]);
      expect(version).toMatchObject({
        name: folder,
        commit: null,
        entryUrl: pathToFileURL(join(folder, "packages", "runtime", "dist", "entry.js")).href,
      });
      // It is not the gate's to remove.
      await version.dispose();
      await expect(
        prepareVersion(folder, { repository: folder, onStep: () => undefined }),
      ).resolves.toBeDefined();
    });
  });

  it("is a commit while only records lie beside it, and none when anything else differs", async () => {
    await inTemporaryFolder(async (folder) => {
      await makeWorkspace(folder);
      const git = async (...words: string[]): Promise<string> => {
        const identity = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"];
        return (await execute("git", [...identity, ...words], { cwd: folder })).stdout.trim();
      };
      await git("init", "--quiet");
      await git("add", ".");
      await git("commit", "--quiet", "--message", "A version");
      const commitNow = async (): Promise<string | null> => {
        const version = await prepareVersion(folder, {
          repository: folder,
          onStep: () => undefined,
        });
        return version.commit;
      };
      await mkdir(join(folder, "results"));
      await writeFile(join(folder, "results", "record.json"), "{}");
      expect(await commitNow()).toBe(await git("rev-parse", "HEAD"));
      await writeFile(join(folder, "packages", "runtime", "dist", "index.js"), "changed");
      expect(await commitNow()).toBeNull();
    });
  });

  it("is not any folder", async () => {
    await inTemporaryFolder(async (folder) => {
      await expect(
        prepareVersion(folder, { repository: folder, onStep: () => undefined }),
      ).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringContaining("packages/runtime"),
      });
    });
  });

  it.each(["no-such-branch", "--help", "-x"])("is not the ref %s, which is none", async (ref) => {
    await inTemporaryFolder(async (folder) => {
      await expect(
        prepareVersion(ref, { repository: folder, onStep: () => undefined }),
      ).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringContaining("neither a folder nor a commit"),
      });
    });
  });
});
