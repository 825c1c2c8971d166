import { afterEach, describe, expect, it, vi } from "vitest";
import { endureInTerminal, type EnduranceRun } from "../src/commands/in-terminal.js";
import type { Progress } from "../src/terminal/progress-display.js";

afterEach(() => vi.restoreAllMocks());

/** Runs something that holds or does not, and is interrupted or not. */
async function endure(
  about: { readonly holds: boolean; readonly interrupted: boolean },
  options: Partial<EnduranceRun<Progress, boolean>> = {},
) {
  const out: string[] = [];
  const error: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean(out.push(String(text))));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => Boolean(error.push(String(text))));
  const code = await endureInTerminal<Progress, boolean>({
    whatFollows: "Ending",
    describe: ({ subject }) => subject,
    run: async ({ signal, onProgress }) => {
      onProgress({ subject: "something", fractionDone: 0.5 });
      if (about.interrupted) process.emit("SIGINT");
      expect(signal.aborted).toBe(about.interrupted);
      return about.holds;
    },
    render: (holds) => `holds: ${holds}\n`,
    holds: (holds) => holds,
    ...options,
  });
  vi.restoreAllMocks();
  return { code, out: out.join(""), error: error.join("") };
}

describe("endureInTerminal", () => {
  it.each([
    [{ holds: true, interrupted: false }, {}, 0],
    [{ holds: false, interrupted: false }, {}, 1],
    [{ holds: true, interrupted: true }, {}, 130],
    [{ holds: false, interrupted: true }, {}, 130],
    [{ holds: true, interrupted: true }, { isJudgedIfInterrupted: true }, 130],
    [{ holds: false, interrupted: true }, { isJudgedIfInterrupted: true }, 1],
  ])("gives the exit code of %j, %j: %i", async (about, options, expected) => {
    const { code, out, error } = await endure(about, options);
    expect(code).toBe(expected);
    expect(out).toBe(`holds: ${about.holds}\n`);
    expect(error).toContain("50 %  something");
    expect(error.includes("Ending; interrupt again to exit at once.")).toBe(about.interrupted);
  });

  it("shows no report where an interrupted one proves nothing", async () => {
    const { code, out, error } = await endure(
      { holds: true, interrupted: true },
      { ifInterrupted: "It proves nothing." },
    );
    expect({ code, out }).toEqual({ code: 130, out: "" });
    expect(error).toContain("It proves nothing.\n");
  });

  it("leaves the signals to others again, also after an error", async () => {
    const before = process.listenerCount("SIGINT");
    const failing = endure(
      { holds: true, interrupted: false },
      { run: () => Promise.reject(new Error("It failed.")) },
    );
    await expect(failing).rejects.toThrow("It failed.");
    expect(process.listenerCount("SIGINT")).toBe(before);
  });
});
