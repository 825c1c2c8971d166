import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runProgram, type ProgramOutcome } from "../../core/test/run-program.js";
import { inTemporaryFolder } from "./fleet-run.js";
import { agentTimings, moduleUrl, startAgent } from "./processes.js";
import { startRedis, type TestRedis } from "./redis-server.js";

const password = "open-sesame-4711";
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis({ password });
});

afterAll(async () => {
  await redis.remove();
});

/** The command line of the bench, which loads this package. */
function streamgauge(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<ProgramOutcome> {
  return runProgram(new URL("../../bench/bin/streamgauge.js", import.meta.url), args, { env });
}

async function everyFile(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile());
  const texts = files.map((entry) => readFile(join(entry.parentPath, entry.name), "latin1"));
  return (await Promise.all(texts)).join("\n");
}

describe("the command line", () => {
  it("measures on an agent, and shows and keeps the password nowhere", async () => {
    const path = fileURLToPath(moduleUrl("tiny.bench.mjs"));
    const agent = startAgent({
      redis: redis.url,
      label: "lab",
      machine: "one",
      timings: agentTimings,
    });
    try {
      await inTemporaryFolder(async (folder) => {
        const given = ["--profile", "standard", "--limit", "stream=1000000%", "--wait", "0"];
        const run = await streamgauge(
          ["bench", path, ...given, "--fleet", "--out", folder, "--enforce"],
          { STREAMGAUGE_REDIS: redis.url },
        );
        expect(run.stderr).toContain("lab: ");
        expect(run.stdout).toMatch(/machines.*CPU.*verdict/);
        expect(run.stdout).toContain("upheld");
        expect(run.code).toBe(0);

        const status = await streamgauge(["fleet", "status", "--redis", redis.url]);
        expect(status.stdout).toMatch(
          /^1 agents\n {2}lab \(one\), lab-\w+, .*: waits; 8 parts done/,
        );
        expect(status.stdout).toContain("0 runs");

        const said = [run, status].map(({ stdout, stderr }) => stdout + stderr).join("\n");
        expect(said + (await everyFile(folder))).not.toContain(password);
        expect(JSON.stringify(agent.lines)).not.toContain(password);

        const client = redis.client();
        for (const key of await client.keys("*")) {
          expect(key).toMatch(/^streamgauge:/);
          expect([key, await client.ttl(key)]).not.toEqual([key, -1]);
        }

        const refused = await streamgauge(["fleet", "clean", "--redis", redis.url]);
        expect(refused).toMatchObject({
          code: 1,
          stderr: expect.stringContaining("1 agents") as string,
        });
        const cleaned = await streamgauge(["fleet", "clean", "--force", "--redis", redis.url]);
        expect(cleaned).toMatchObject({ code: 0 });
        expect(cleaned.stdout).toMatch(/^\d+ keys are removed\.\n$/);
      });
    } finally {
      await agent.kill();
    }
  });

  it("says what is wrong with the server, without the password", async () => {
    const wrong = redis.url.replace(password, "guessed");
    const outcome = await streamgauge(["fleet", "status", "--redis", wrong]);
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toMatch(
      /^REDIS_FAILED: The Redis server at redis:\/\/127\.0\.0\.1:\d+ /,
    );
    expect(outcome.stderr).not.toContain("guessed");
  });

  it.each([
    [["bench", "--agents", "2"], /--agents is about other machines: give --fleet too/],
    [["bench", "--fleet"], /--fleet needs the address/],
    [
      ["bench", "--fleet", "redis://x", "--model", "/models/m"],
      /a model that is not built in cannot cross/,
    ],
    [
      ["bench", "--fleet", "redis://x", "--url", "http://h/v1", "--model", "m"],
      /an endpoint cannot/,
    ],
    [
      ["load", "--url", "http://h/v1", "--model", "m", "--rate", "1", "--agents", "2"],
      /--agents is about other machines: give --fleet too/,
    ],
    [
      ["agent", "--redis", "redis://x", "--label", "x", "--key-env", "KEY"],
      /--key-env holds the key of an endpoint: give its --url too/,
    ],
    [
      ["agent", "--redis", "redis://x", "--label", "x", "--url", "secret"],
      /--url is no http or https address/,
    ],
    [["agent", "--label", "x"], /Where is Redis\?/],
    [["agent"], /--label/],
    [["fleet", "status", "--redis", "nonsense"], /The address of Redis is none/],
  ])("%j is refused with a remedy", async (args, message) => {
    const outcome = await streamgauge(args, { STREAMGAUGE_REDIS: "" });
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toMatch(message);
  });

  it("refuses a second agent on one machine", async () => {
    const first = startAgent({ redis: redis.url, label: "lab", machine: "same" });
    try {
      await first.line(({ kind }) => kind === "ready");
      const second = startAgent({ redis: redis.url, label: "lab", machine: "same" });
      const { text } = await second.line(({ kind }) => kind === "error");
      expect(text).toMatch(/AGENT_PRESENT: .*--machine/);
    } finally {
      await first.kill();
    }
  });
});
