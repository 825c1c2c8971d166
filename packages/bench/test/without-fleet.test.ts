import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** The command line, where `@streamgauge/fleet` is not installed. */
function streamgauge(
  ...flags: string[]
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const hidden = new URL("without-fleet.mjs", import.meta.url).href;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ["--import", hidden, here("../bin/streamgauge.js"), ...flags],
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
      },
    );
  });
}

describe("without the fleet", () => {
  it("the help has its commands, and says what they need", async () => {
    const { code, stdout } = await streamgauge("--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/agent .*needs @streamgauge\/fleet/);
  });

  it.each([
    ["bench", "--fleet", "redis://127.0.0.1:1"],
    [
      "load",
      "--url",
      "http://h/v1",
      "--model",
      "m",
      "--rate",
      "1",
      "--fleet",
      "redis://127.0.0.1:1",
    ],
    ["agent", "--redis", "redis://127.0.0.1:1", "--label", "lab"],
    ["fleet", "status"],
  ])("%s names the package, and how to install it", async (...flags) => {
    const { code, stderr } = await streamgauge(...flags);
    expect(code).toBe(1);
    expect(stderr).toContain("FLEET_MISSING: ");
    expect(stderr).toContain("npm install @streamgauge/fleet");
  });
});
