import { describe, expect, it } from "vitest";
import { portablePath } from "../src/profile/portable-path.js";

describe("portablePath", () => {
  it.each([
    [
      "file:///home/me/sg/packages/runtime/dist/ring/sleep.js",
      "@streamgauge/runtime/dist/ring/sleep.js",
    ],
    ["C:\\me\\sg\\packages\\core\\dist\\index.js", "@streamgauge/core/dist/index.js"],
    [
      "file:///home/me/app/node_modules/@streamgauge/core/dist/index.js",
      "@streamgauge/core/dist/index.js",
    ],
    ["/home/me/node_modules/.pnpm/x@1/node_modules/x/lib/a.js", "x/lib/a.js"],
    ["file:///home/me/app/src/main.js", "src/main.js"],
    ["node:internal/timers", "node:internal/timers"],
    ["", ""],
  ])("of %j is %j", (url, portable) => {
    expect(portablePath(url)).toBe(portable);
  });
});
