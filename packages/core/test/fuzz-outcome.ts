// What every fuzzer demands of one case.
import { expect } from "vitest";

/** What is shown of foreign text has nothing that a terminal obeys, and no half characters. */
export function expectShowable(text: string): void {
  expect(text.replaceAll(/[\t\n\r]/g, "")).not.toMatch(
    /[\p{Cc}\p{Cs}\u200E\u200F\u202A-\u202E\u2066-\u2069]/u,
  );
}

/**
 * Runs one case: it succeeds within 5 seconds of CPU time, or fails with one of our codes.
 *
 * @returns "done", or the code
 */
export async function outcomeOf(run: () => unknown, codes: readonly string[]): Promise<string> {
  const before = process.cpuUsage();
  const outcome = await settle(run, codes);
  // Of CPU time, because others may keep the machine busy. What waits for ever ends at the test's limit.
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1e6).toBeLessThan(5);
  expect(Object.keys(Object.prototype)).toEqual([]);
  return outcome;
}

async function settle(run: () => unknown, codes: readonly string[]): Promise<string> {
  try {
    await run();
    return "done";
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    if (typeof code !== "string" || !codes.includes(code)) throw error;
    return code;
  }
}
