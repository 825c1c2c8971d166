// What a run of the bench prints, by the flags that choose it.
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { benchInTerminal, type Showing } from "../src/commands/bench-command.js";
import { createFakeGenerator, ManualClock } from "./fake-generator.js";
import { inTemporaryFolder } from "./example-record.js";
import { cellPlan, presetOf } from "./plans.js";

afterEach(() => vi.restoreAllMocks());

/** Runs the bench over a fake generator, and what it prints. */
async function run(
  showing: Partial<Showing>,
  onToken: () => void = () => undefined,
): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  const printed = { out: "", error: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed.out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    printed.error += String(text);
    return true;
  });
  const clock = new ManualClock();
  const code = await inTemporaryFolder((folder) =>
    benchInTerminal(
      {
        preset: presetOf(cellPlan()),
        seed: 1,
        outputFolder: join(folder, "run"),
        clock,
        openGenerator: () =>
          Promise.resolve(
            createFakeGenerator({
              clock,
              tokenNanoseconds: (mode) => {
                onToken();
                return mode === "streamAsync" ? 120_000 : 100_000;
              },
            }),
          ),
      },
      { enforce: false, verbosity: "answer", ...showing },
    ),
  );
  vi.restoreAllMocks();
  return { code, ...printed };
}

describe("a run of the bench", () => {
  it("prints at most twelve lines, 100 columns wide where there is no terminal", async () => {
    const { code, out, error } = await run({});
    expect(code).toBe(0);
    const lines = out.trim().split("\n");
    expect(lines.length).toBeLessThanOrEqual(12);
    expect(lines[0]).toMatch(/^Streaming from fake/);
    expect(lines.at(-1)).toMatch(/^Page: pnpm report --html --record \S+run$/);
    expect(error).toContain("fake: loading");
  });

  it("prints every table before them when asked", async () => {
    const { out } = await run({ verbosity: "verbose" });
    expect(out.indexOf("Absolute cost of streaming")).toBeGreaterThan(0);
    expect(out.indexOf("Absolute cost of streaming")).toBeLessThan(out.indexOf("Streaming from"));
  });

  it("prints nothing but JSON when asked", async () => {
    const summary = JSON.parse((await run({ verbosity: "json" })).out) as Record<string, unknown>;
    expect(summary).toMatchObject({ schema: "streamgauge/summary", status: "complete" });
  });

  it("prints nothing when it is to be quiet, and has the verdict as its exit code", async () => {
    expect(await run({ verbosity: "quiet", enforce: true })).toEqual({
      // One process decides nothing.
      code: 2,
      out: "",
      error: "",
    });
  });

  it("prints how an interrupted run goes on", async () => {
    let tokens = 0;
    const { code, out } = await run({}, () => {
      tokens += 1;
      if (tokens === 50) process.emit("SIGINT");
    });
    expect(code).toBe(130);
    expect(out).toMatch(/^Resume: pnpm streamgauge bench --resume \S+run$/m);
  });
});
