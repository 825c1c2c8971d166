import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitCodeOf } from "../src/commands/exit-code.js";
import { shippedClaimsFile } from "../src/conclude/claims-file.js";
import type { ResultRecord, Verdict } from "../src/record/index.js";
import { committedRecord } from "../../../scripts/committed-record.js";
import { exampleRecord, inTemporaryFolder, runExample } from "./example-record.js";
import { exampleEngine } from "./example-engine.js";
import { exampleTransports } from "./example-transports.js";
import { streamgauge } from "./streamgauge.js";

describe("streamgauge", () => {
  it("says its version", async () => {
    const manifest = await readFile(new URL("../package.json", import.meta.url), "utf8");
    const { version } = JSON.parse(manifest) as { readonly version: string };
    expect(await streamgauge("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("streamgauge bench", () => {
  it("explains its flags, with examples", async () => {
    const { code, stdout } = await streamgauge("bench", "--help");
    expect(code).toBe(0);
    for (const flag of [
      "--profile",
      "--scenario",
      "--tokens",
      "--seed",
      "--blocks",
      "--out",
      "--claims",
      "--enforce",
      "--model",
      "--time-budget",
      "--resume",
      "--verbose",
      "--json",
      "--quiet",
    ]) {
      expect(stdout).toContain(flag);
    }
    expect(stdout).toContain("$ streamgauge bench --scenario model --tokens 100");
    expect(stdout).toContain("130 interrupted");
  });

  it.each([
    [
      "drill",
      ["--seed", "--streams", "--faults", "--embedded-streams", "Exit codes: 0 all checks"],
    ],
    [
      "gate",
      ["--base", "--head", "--threshold", "--self-test", "--inject-slowdown", "2 inconclusive"],
    ],
    [
      "history",
      ["add", "--metric", "allows for correlated neighbours", "$ streamgauge history add --record"],
    ],
    ["soak", ["--seed", "--streams", "--minutes", "4 bytes per stream", "Exit codes: 0 all flat"]],
  ])("explains %s", async (command, parts) => {
    const { code, stdout } = await streamgauge(command, "--help");
    expect(code).toBe(0);
    for (const part of parts) expect(stdout).toContain(part);
  });

  it.each([
    [["bench", "--fast"], /unknown option '--fast'/],
    [["bench", "--profile", "quik"], /INVALID_OPTION: .*no preset "quik".*Did you mean "quick"\?/],
    [
      ["bench", "--scenario", "modle"],
      /INVALID_OPTION: .*no scenario "modle".*Did you mean "model"\?/,
    ],
    [["bench", "--wait", "long"], /must be an integer/],
    [["bench", "--scenario", "x"], /INVALID_OPTION: .*no scenario "x".*model, .*main-thread/],
    [["bench", "--tokens", "many"], /must be an integer/],
    [["bench", "--tokens", "11"], /INVALID_OPTION: .*has 11 tokens/],
    [
      ["bench", "--claims", "no.json"],
      /INVALID_CLAIMS: no\.json: there is no such file\. Give one/,
    ],
    [["bench", "extra.js"], /INVALID_SCENARIOS: .*extra\.js does not load/],
    [["bench", "--resume", "nowhere"], /INVALID_RECORD: nowhere: there is no such file\. Give a/],
    [["verify", "nowhere"], /INVALID_RECORD: nowhere: there is no such file\. Give a/],
    [["verify", "nowhere/record.json"], /INVALID_RECORD: nowhere.*: there is no such file/],
    [["history", "add", "--record", "nowhere"], /INVALID_RECORD: nowhere: there is no such file/],
    [["bench", "--out", "package.json/x"], /INVALID_OPTION: The folder .* cannot be made: /],
    [["bench", "--json", "--verbose"], /'--json' cannot be used with .*'--verbose'/],
    [["bench", "--quiet", "--json"], /'--quiet' cannot be used with .*'--json'/],
    [["bench", "--resume", "nowhere", "--seed", "1"], /INVALID_OPTION: --resume goes on/],
    [["bench", "--chat", "--max-tokens", "9"], /--chat, --max-tokens is about an endpoint/],
    [["bench", "--url", "http://127.0.0.1:9/v1"], /INVALID_OPTION: .*needs --model/],
    [["bench", "--url", "http://127.0.0.1:9/v1", "--against-model", "m"], /give its --against/],
    [["bench", "--url", "http://127.0.0.1:9/v1", "--key-env", "sk-1"], /not the key itself/],
    [
      ["bench", "--url", "http://127.0.0.1:9/v1", "--model", "m", "--cpu-profile"],
      /measured alone/,
    ],
    [["bench", "--model", "hub:owner/other"], /MODEL_NOT_FOUND: .*`streamgauge pull owner\/other`/],
    [["bench", "--model", "hub:../x"], /INVALID_OPTION: .*no model's name on a hub/],
    [["bench", "--dtype", "q4"], /INVALID_OPTION: dtype is "q4", and chooses among the graphs/],
    ...["stress", "soak", "wakeups", "calibrate"].map((command): [string[], RegExp] => [
      [command, "--model", "hub:owner/other"],
      /'--model <name>' argument 'hub:owner\/other' is invalid\. .*by bench --model/,
    ]),
    [["drill", "--model", "hub:owner/other"], /is invalid\. .*by check-model/],
    [["gate", "--model", "hub:owner/other"], /is invalid\. .*by --module/],
    [["bench", "--limit", "generate=5%"], /must be "stream" or "streamAsync".*stream=5%/],
    [["bench", "--limit", "stream=5"], /must be "stream" or/],
    [["bench", "--limit", "stream=0%"], /number above 0/],
    [["bench", "--limit", "stream=5%", "--limit", "stream=6%"], /two limits of one unit/],
    [
      ["bench", "--limit", "stream=5%", "--claims", "a.json"],
      /INVALID_OPTION: --claims and --limit/,
    ],
    [["bench", "--time-budget", "soon"], /number of minutes > 0/],
    [["measure"], /unknown command 'measure'/],
    [["drill", "--streams", "3", "--faults", "4"], /INVALID_OPTION: .*4 faults among 3 streams/],
    [["drill", "--streams", "many"], /must be an integer/],
    [["soak", "--streams", "0"], /INVALID_OPTION: A soak needs a stream/],
    [["soak", "--minutes", "0"], /number of minutes > 0/],
  ])("refuses %j", async (flags, message) => {
    const { code, stdout, stderr } = await streamgauge(...flags);
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
  });
});

describe("streamgauge verify", () => {
  it("explains itself, with its exit codes", async () => {
    const { code, stdout } = await streamgauge("verify", "--help");
    expect(code).toBe(0);
    expect(stdout).toContain("a record.json or record.json.gz, or the folder that it is in");
    expect(stdout).toContain("1 something differs");
    expect(stdout).toContain("$ streamgauge verify results/");
  });

  it("says 0 of a run as it was left, and 1 when a byte is another", async () => {
    await inTemporaryFolder(async (folder) => {
      const [cell] = (await runExample(folder)).cells;
      const intact = await streamgauge("verify", folder);
      expect(intact).toMatchObject({ code: 0, stderr: "" });
      expect(intact.stdout).toMatch(/fake-10 .* raw.fake-10\.bin\.gz .*ok .*8 ok .*ok .*ok .*ok/);
      expect(intact.stdout).toContain("record.json agrees with its raw samples");

      const claims = JSON.parse(await readFile(shippedClaimsFile, "utf8")) as {
        claims: { limit: number }[];
      };
      claims.claims[0]!.limit = 0.2;
      const others = join(folder, "claims.json");
      await writeFile(others, JSON.stringify(claims));
      const changed = await streamgauge("verify", folder, "--claims", others);
      expect(changed.code).toBe(1);
      expect(changed.stdout).toContain(
        "its limit is 0.05 in the record and 0.2 in the file claims",
      );

      const path = join(folder, cell?.rawSamples?.file ?? "");
      const bytes = await readFile(path);
      bytes[bytes.length >> 1]! ^= 1;
      await writeFile(path, bytes);
      const altered = await streamgauge("verify", join(folder, "record.json"));
      expect(altered.code).toBe(1);
      expect(altered.stdout).toMatch(/raw\/fake-10\.bin\.gz: the file's SHA-256 is /);
      expect(altered.stdout).toMatch(/DIFFERS/);
      expect(altered.stdout).toContain("run the bench again");
    });
  });

  it("says 2, and what to do, of a record whose cells name no raw samples", async () => {
    await inTemporaryFolder(async (folder) => {
      const record = await exampleRecord();
      const cells = record.cells.map((cell) => ({ ...cell, rawSamples: null }));
      const path = join(folder, "record.json");
      await writeFile(path, JSON.stringify({ ...record, cells }));
      const { code, stdout } = await streamgauge("verify", path);
      expect(code).toBe(2);
      expect(stdout).toMatch(/nothing to verify.*Run `streamgauge bench`/);
    });
  });

  it("says 0 of a committed record", async () => {
    const { folder } = await committedRecord();
    const { code, stdout } = await streamgauge("verify", folder);
    expect(code).toBe(0);
    expect(stdout).toContain("agrees with its raw samples");
  });

  it("says 1 of what is no record", async () => {
    const { code, stdout, stderr } = await streamgauge("verify", "nowhere");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/INVALID_RECORD: nowhere: there is no such file/);
  });
});

describe("exitCodeOf", () => {
  it("is about the run, and about the claims only when enforced", async () => {
    const record = await exampleRecord();
    const withVerdicts = (...verdicts: Verdict[]): ResultRecord => ({
      ...record,
      claims: verdicts.flatMap((verdict) =>
        record.claims.slice(0, 1).map((claim) => ({ ...claim, verdict })),
      ),
    });
    expect(exitCodeOf(withVerdicts("refuted", "void"), false)).toBe(0);
    expect(exitCodeOf(withVerdicts("upheld", "upheld"), true)).toBe(0);
    expect(exitCodeOf(withVerdicts("inconclusive", "refuted"), true)).toBe(1);
    expect(exitCodeOf(withVerdicts("upheld", "inconclusive"), true)).toBe(2);
    expect(exitCodeOf(withVerdicts("upheld", "void"), true)).toBe(2);
    expect(exitCodeOf(withVerdicts(), true)).toBe(2);
    expect(exitCodeOf({ ...record, status: "interrupted" }, true)).toBe(130);
    const withTransports = { ...withVerdicts("upheld"), transports: exampleTransports };
    expect(exitCodeOf(withTransports, true)).toBe(2);
    expect(exitCodeOf({ ...withVerdicts("upheld"), engine: exampleEngine }, true)).toBe(1);
    const failed = record.cells.map((cell) => ({ ...cell, status: "failed" as const }));
    expect(exitCodeOf({ ...record, cells: failed }, false)).toBe(1);
    const failedMeasurements = [{ id: "any", code: "ENGINE_FAILED", message: "It failed." }];
    expect(exitCodeOf({ ...record, failedMeasurements }, false)).toBe(1);
  });
});

describe("streamgauge history", () => {
  it("begins with a record, takes a commit once, and lists it", async () => {
    await inTemporaryFolder(async (folder) => {
      const { folder: record, record: stored } = await committedRecord();
      const commit = stored.environment.git?.commit.slice(0, 9);
      const flags = ["--folder", folder];
      expect((await streamgauge("history", ...flags)).stdout).toContain("no history");
      const add = ["history", "add", "--record", record, ...flags];
      expect((await streamgauge(...add)).stdout).toContain(`Added ${commit} to ${folder}`);
      expect((await streamgauge(...add)).stdout).toContain("nothing to add");
      const { code, stdout } = await streamgauge(
        "history",
        ...flags,
        "--metric",
        "pequod-pooled-100 stream",
      );
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^\S+-cores-\S+-node\d+: 1 commit\n.*pequod-pooled-100 stream overhead/m,
      );
    });
  });

  it("exits with 1 at a damaged line", async () => {
    await inTemporaryFolder(async (folder) => {
      await writeFile(join(folder, "some-machine.jsonl"), "{\n");
      const { code, stderr } = await streamgauge("history", "--folder", folder);
      expect(code).toBe(1);
      expect(stderr).toContain("some-machine.jsonl, line 1");
    });
  });
});
