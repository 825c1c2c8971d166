import { describe, expect, it } from "vitest";
import { streamgaugeWithout } from "./streamgauge.js";

describe("without the fleet", () => {
  it("the help has its commands, and says what they need", async () => {
    const { code, stdout } = await streamgaugeWithout("fleet", "--help");
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
    const { code, stderr } = await streamgaugeWithout("fleet", ...flags);
    expect(code).toBe(1);
    expect(stderr).toContain("FLEET_MISSING: ");
    expect(stderr).toContain("npm install @streamgauge/fleet");
  });
});
