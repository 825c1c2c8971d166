import { describe, expect, it } from "vitest";
import { gateCommand } from "../src/commands/gate-command.js";

async function run(...flags: string[]): Promise<unknown> {
  const command = gateCommand()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return await command.parseAsync(flags, { from: "user" });
}

describe("the options of a gate", () => {
  it.each([
    [[], "--base is missing"],
    [["--base", ".", "--engine", "model", "--step", "5"], "--step is for the paced engine"],
    [["--base", ".", "--runs", "5"], "--runs is for --self-test"],
    [["--self-test", "--head", "."], "leave out --head"],
    [["--self-test", "--inject-slowdown", "5"], "leave out --inject-slowdown"],
    [["--self-test", "--summary", "x.md"], "leave out --summary"],
    [["--base", ".", "--blocks", "3"], "even number"],
    [["--base", ".", "--threshold", "0"], "percentage above 0"],
    [["--base", ".", "--engine", "steam"], "Allowed choices are paced, model"],
    [["--base", "no-such-ref"], "neither a folder nor a commit"],
  ])("are refused: %j", async (flags, reason) => {
    await expect(run(...flags)).rejects.toThrow(reason);
  });
});
