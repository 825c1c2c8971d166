import { createRuntime, pacedModel } from "@streamgauge/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../src/plan/clock.js";
import type { ProfileKind } from "../src/profile/instrument.js";
import { profileMeasurement } from "../src/profile/profile-measurement.js";
import type { ProfileFindings, ProfileMeasurement } from "../src/record/index.js";
import { profileMeasurement as checkProfile } from "../src/record/profile.js";
import type { GeneratorPlan, ScenarioGenerator } from "../src/plan/generator-plan.js";
import { mainDiagnostics, workerDiagnostics } from "../src/scenarios/thread-diagnostics.js";

const plan: GeneratorPlan = { id: "paced", engine: "paced", model: "paced", host: "pooled" };
const tokens = 300;

async function open({ ring = {} }: GeneratorPlan): Promise<ScenarioGenerator> {
  const model = pacedModel({ stepMicroseconds: 0 });
  const runtime = await createRuntime({ model, workers: 1, ring });
  return {
    ...runtime,
    diagnostics: workerDiagnostics(runtime),
    close: () => runtime.close(),
  };
}

/** What is asserted here is who was observed and how often; never how long anything took. */
describe("a profile of real threads", () => {
  let generator: ScenarioGenerator;
  const files = new Map<string, string | Uint8Array>();

  beforeAll(async () => {
    generator = await open(plan);
  });
  afterAll(async () => {
    await generator.close();
  });

  async function measure(kind: ProfileKind): Promise<ProfileMeasurement> {
    const { profiles = [] } = await profileMeasurement({
      kind,
      treatment: "stream",
      tokens,
      blocks: 1,
      mainDiagnostics,
    }).measure(generator, {
      clock: systemClock,
      seed: 1,
      plan,
      prompt: [1, 2, 3],
      signal: undefined,
      open,
      saveFile: (name, content) => {
        files.set(name, content);
        return Promise.resolve(name);
      },
    });
    const [profile] = profiles;
    if (profile === undefined) throw new Error("Nothing was measured.");
    checkProfile(JSON.parse(JSON.stringify(profile)), "profile");
    return profile;
  }

  async function find<Kind extends ProfileKind>(
    kind: Kind,
  ): Promise<Extract<ProfileFindings, { kind: Kind }>> {
    const { findings } = await measure(kind);
    return findings as Extract<ProfileFindings, { kind: Kind }>;
  }

  const threads = [{ thread: "main" }, { thread: "worker 0" }];

  it("samples both threads' stacks, and saves them", async () => {
    const { files: names, findings } = await measure("cpuProfile");
    expect(findings).toMatchObject({ kind: "cpuProfile", threads });
    expect(names).toHaveLength(2);
    for (const name of names) {
      const saved = files.get(name) as string;
      expect(JSON.parse(saved)).toHaveProperty("nodes");
      // Records are shown to others: no path of this machine.
      expect(saved).not.toMatch(/file:|"\//);
    }
  });

  it("samples what both threads allocate", async () => {
    const { threads: allocations } = await find("allocations");
    expect(allocations).toMatchObject(threads);
    for (const { bytesPerToken } of allocations) expect(bytesPerToken).toBeGreaterThan(0);
  });

  it("watches both threads for pauses", async () => {
    const { threads: watched, slowestGaps } = await find("timeline");
    expect(watched).toMatchObject(threads);
    expect(slowestGaps).toHaveLength(10);
  });

  it("counts the promises of both threads", async () => {
    const { threads: counted } = await find("asyncActivity");
    expect(counted).toMatchObject(threads);
    // The paced engine awaits its step, so that there is more than one for each token.
    expect(counted[1]?.promisesPerToken).toBeGreaterThan(1);
  });

  it("follows each token through a ring that keeps a ledger", async () => {
    const { stages, residual } = await find("ledger");
    expect(stages.map(({ stage, latency }) => [stage, latency.count])).toEqual([
      ["published", tokens],
      ["woken", tokens],
      ["delivered", tokens],
      ["callbackDone", tokens],
    ]);
    expect(residual.count).toBe(1);
  });
});
