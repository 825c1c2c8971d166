import { describe, expect, it } from "vitest";
import { acceptPart } from "../src/agent/measure-part.js";
import type { MeasuringAgent } from "../src/agent/measuring-agent.js";
import { acceptShard } from "../src/agent/offer-shard.js";
import { buildOf, machineClassOf, otherBuild } from "../src/machines/machine-class.js";
import { unsuitable } from "../src/machines/agents.js";
import type { AgentNotice } from "../src/messages/agent-notice.js";
import { jobOf, partName, type PartJob } from "../src/messages/part-job.js";
import { isShardJob, shardName, type ShardJob } from "../src/messages/shard-job.js";
import { sha256Of } from "../src/parts/hash.js";
import { keysOf } from "../src/redis/keys.js";
import { parseRedisAddress } from "../src/redis/redis-address.js";
import { exampleEnvironment } from "./example-environment.js";

const build = buildOf(exampleEnvironment);
const hash = "a".repeat(64);

const notice: AgentNotice = {
  version: 1,
  machine: "one",
  label: "lab",
  machineClass: machineClassOf("lab", exampleEnvironment),
  build,
  modules: [hash],
  endpoint: null,
  session: "s",
  startedAt: "2026-11-30T00:00:00.000Z",
  part: null,
  partsDone: 0,
  environment: exampleEnvironment,
  instrument: {
    clock: "c",
    clockResolutionNanoseconds: 1,
    clockReadNanoseconds: 1,
    recordingNanoseconds: 1,
  },
};

const job: PartJob = jobOf(
  {
    preset: "standard",
    modules: [],
    process: 3,
    seed: 7,
    leaveOut: [],
    runId: "2026-11-30T00-00-00.000Z",
    look: 0,
  },
  { build, modules: [hash], waitSeconds: 0 },
);

const part = partName(notice.machineClass, job);

const agent: MeasuringAgent = {
  keys: keysOf(),
  redis: () => {
    throw new Error("Nobody asks Redis.");
  },
  notice,
  modules: new Map([[hash, "file:///tiny.mjs"]]),
  endpoint: { url: "http://host/v1", keyEnv: "KEY" },
  spoolFolder: undefined,
  execArgv: undefined,
  stopMilliseconds: 1000,
  signal: new AbortController().signal,
};

function accept(message: unknown, name = part): PartJob {
  return acceptPart(agent, name, message);
}

describe("an agent", () => {
  it("takes a part of its own version, with modules that it has", () => {
    expect(accept(JSON.parse(JSON.stringify(job)))).toEqual(job);
  });

  it.each([
    ["another commit", { build: { ...build, commit: "decaf" } }, /runs commit decaf/],
    [
      "another version",
      { build: { ...build, versions: { ...build.versions, "@streamgauge/core": "9.9.9" } } },
      /core 9\.9\.9, and this is 0\.1\.0/,
    ],
    ["a module that it has not", { modules: ["b".repeat(64)] }, /no module with the SHA-256 bbbb/],
    ["a model folder", { model: "/models/mine" }, /not built in/],
    ["another process than its name says", { process: 4 }, /not the name/],
    ["a number out of range", { seed: -1 }, /seed/],
    [
      "a field that nobody knows",
      { endpoint: { url: "http://attacker" } },
      /endpoint|Unrecognized/,
    ],
    ["a list without end", { leaveOut: Array<string>(5001).fill("x") }, /leaveOut/],
  ])("refuses %s", (_, change, message) => {
    expect(() => accept({ ...job, ...change })).toThrow(message);
  });

  it.each([".", "..", "a/b", "", "x".repeat(201)])("takes %j for no name", (name) => {
    expect(() => accept({ ...job, runId: name })).toThrow(/runId/);
  });

  it("refuses what is no part at all", () => {
    for (const message of [null, 3, "x", [], { version: 2 }]) {
      expect(() => accept(message)).toThrow(/In Redis, the part/);
    }
  });
});

const shard: ShardJob = {
  kind: "shard",
  version: 1,
  build,
  runId: "2026-11-30T00-00-00.000Z",
  step: 0,
  attempt: 0,
  shard: 1,
  of: 3,
  target: { kind: "endpoint", sha256: sha256Of("http://host/v1"), model: "m", api: "chat" },
  plan: { name: "file-0", byteLength: 2, sha256: hash, chunks: [hash] },
};

describe("an agent that is asked for a shard of a load", () => {
  const acceptIt = (message: ShardJob, name = shardName(notice.machineClass, shard)): ShardJob =>
    acceptShard(agent, name, JSON.parse(JSON.stringify(message)));

  it("takes one of the endpoint and the modules that it was started with", () => {
    expect(isShardJob(shard)).toBe(true);
    expect(isShardJob(job)).toBe(false);
    expect(acceptIt(shard)).toEqual(shard);
    const target = { kind: "module", sha256: hash, scenario: null } as const;
    expect(acceptIt({ ...shard, target })).toMatchObject({ target });
  });

  it.each<[string, object, RegExp]>([
    ["another commit", { build: { ...build, commit: "decaf" } }, /runs commit decaf/],
    [
      "another endpoint",
      { target: { ...shard.target, sha256: sha256Of("http://attacker/v1") } },
      /may not load that endpoint/,
    ],
    [
      "an address",
      { target: { ...shard.target, url: "http://attacker/v1" } },
      /target.*url|Unrecognized/,
    ],
    [
      "the name of a key",
      { target: { ...shard.target, keyEnv: "AWS_SECRET_ACCESS_KEY" } },
      /target.*keyEnv|Unrecognized/,
    ],
    [
      "a module that it has not",
      { target: { kind: "module", sha256: "b".repeat(64), scenario: null } },
      /no module with the SHA-256 bbbb/,
    ],
    ["a shard that is not there", { shard: 3 }, /no such shard/],
    ["another shard than its name says", { shard: 2 }, /not the name/],
    ["a field that nobody knows", { execArgv: ["--import", "x"] }, /execArgv|Unrecognized/],
  ])("refuses %s", (_, change, message) => {
    expect(() => acceptIt({ ...shard, ...change })).toThrow(message);
  });
});

describe("a class of machines", () => {
  it("is one of machines that differ in a little memory and in load", () => {
    const other = { ...exampleEnvironment, memoryBytes: 8 * 2 ** 30 - 4096, advice: ["close it"] };
    expect(machineClassOf("lab", other)).toBe(notice.machineClass);
  });

  it.each([
    ["cpuModel", "Abacus 9001"],
    ["logicalCores", 4],
    ["memoryBytes", 16 * 2 ** 30],
    ["operatingSystem", "Linux 6.2 x64"],
    ["nodeVersion", "20.20.1"],
    ["packages", { "onnxruntime-node": "2.0.0" }],
  ])("is another with another %s", (field, value) => {
    const other = { ...exampleEnvironment, [field]: value };
    expect(machineClassOf("lab", other)).not.toBe(notice.machineClass);
  });

  it("is another with another label", () => {
    expect(machineClassOf("Lab 2", exampleEnvironment)).toMatch(/^lab-2-\w{8}$/);
  });

  it("has suitable agents of one build, with the run's modules", () => {
    expect(otherBuild(build, build)).toBeUndefined();
    expect(unsuitable(notice, { build, modules: [hash] })).toBeUndefined();
    expect(unsuitable(notice, { build, modules: ["b".repeat(64)] })).toMatch(/modules/);
    expect(unsuitable(notice, { build, modules: [], endpoint: hash })).toMatch(/--url/);
    expect(unsuitable({ ...notice, endpoint: hash }, { build, modules: [], endpoint: hash })).toBe(
      undefined,
    );
    expect(unsuitable({ ...notice, machineClass: "other-1" }, { build, modules: [] })).toMatch(
      /class/,
    );
    expect(unsuitable(notice, { build: { ...build, commit: null }, modules: [] })).toMatch(
      /commit c0ffee, and this is unknown/,
    );
  });
});

describe("the address of Redis", () => {
  it("is shown without user and password", () => {
    const { shown } = parseRedisAddress("rediss://me:secret@host:6380/2?family=6");
    expect(shown).toBe("rediss://host:6380/2");
  });

  it.each(["", "host", "http://me:secret@host", "redis://", "redis:///secret"])(
    "refuses %j without repeating it",
    (text) => {
      expect(() => parseRedisAddress(text)).toThrow(/address of Redis/);
      expect(() => parseRedisAddress(text)).not.toThrow(/secret/);
    },
  );

  it("takes prefixes that no pattern reads as one of its own", () => {
    expect(() => keysOf("a*")).toThrow(/prefix/);
    expect(keysOf("mine").manifest("p")).toBe("mine:manifest:p");
  });
});
