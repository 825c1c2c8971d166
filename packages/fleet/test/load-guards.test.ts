import { describe, expect, it } from "vitest";
import { inTemporaryFolder } from "./fleet-run.js";
import { expectWhole, fleetForEachTest, whenSending, type LoadChanges } from "./load-fleet.js";
import { agentTimings, childrenOf, coordinatorTimings, moduleUrl } from "./processes.js";

const fleet = fleetForEachTest();

const short: LoadChanges = { offer: { kind: "rates", perSecond: [20], seconds: 0.5 } };

/** Resolves when the coordinator of a load has said something. */
function whenSaid(words: RegExp): {
  readonly onProgress: NonNullable<LoadChanges["onProgress"]>;
  readonly said: Promise<void>;
} {
  let tell: () => void = () => undefined;
  const said = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return { said, onProgress: ({ subject }) => void (words.test(subject) && tell()) };
}

/** An agent that is stopped for a while is still there. */
const patient = { timings: { ...agentTimings, goneMilliseconds: 120_000 } };

describe("two loads on one fleet", () => {
  it("give way to each other where each has a machine that the other waits for", async () => {
    // Machines of two labels have queues of their own.
    const one = fleet.start("one", { label: "first", ...patient });
    const two = fleet.start("two", { label: "second", ...patient });
    await Promise.all([one, two].map((agent) => agent.line(({ kind }) => kind === "ready")));
    // Neither takes anything until both loads have asked for both.
    one.signal("SIGSTOP");
    two.signal("SIGSTOP");
    await inTemporaryFolder(async (firstFolder) => {
      await inTemporaryFolder(async (secondFolder) => {
        const [first, second] = [whenSaid(/0 of 2 machines/), whenSaid(/0 of 2 machines/)];
        const giving = fleet.load(2, firstFolder, {
          ...short,
          onProgress: first.onProgress,
          // It gives way soon, and the other one never does.
          timings: { ...coordinatorTimings, lostMilliseconds: 1000 },
        });
        await first.said;
        const waiting = fleet.load(2, secondFolder, {
          ...short,
          onProgress: second.onProgress,
          timings: { ...coordinatorTimings, lostMilliseconds: 120_000 },
        });
        await second.said;
        one.signal("SIGCONT");
        // Its first shard is of the load that asked first, and nothing comes of it.
        await one.line(({ kind, text }) => kind === "failed" && text.includes("given up"));
        two.signal("SIGCONT");
        await Promise.all([giving, waiting]);
        for (const folder of [firstFolder, secondFolder]) {
          expect((await expectWhole(folder)).map(({ shards }) => shards)).toEqual([2]);
        }
      });
    });
  });
});

describe.skipIf(process.platform !== "linux")("a process that sends requests and hangs", () => {
  it("is killed after a while, and its agent is there for the next load", async () => {
    const agent = fleet.start("one");
    await inTemporaryFolder(async (folder) => {
      const { onProgress, sending } = whenSending();
      const controller = new AbortController();
      const running = fleet.load(1, folder, {
        offer: { kind: "rates", perSecond: [20], seconds: 60 },
        onProgress,
        signal: controller.signal,
      });
      await sending;
      const [child = 0, ...others] = childrenOf(agent.child.pid ?? 0);
      expect([child > 0, others]).toEqual([true, []]);
      process.kill(child, "SIGSTOP");
      controller.abort();
      // What it had sent is lost with it.
      expect((await running).record).toMatchObject({ status: "interrupted", steps: [] });
      const { text } = await agent.line(({ kind }) => kind === "failed");
      expect(text).toMatch(/ended with SIGKILL/);
      expect(childrenOf(agent.child.pid ?? 0)).not.toContain(child);
    });
    await inTemporaryFolder(async (folder) => {
      await fleet.load(1, folder, short);
      await expectWhole(folder);
    });
  });
});

describe("a load whose shard is refused", () => {
  it("ends with the reason that the agent gave", async () => {
    const [has, hasNot] = [
      fleet.start("one", patient),
      fleet.start("two", { ...patient, modules: [] }),
    ];
    await Promise.all([has, hasNot].map((agent) => agent.line(({ kind }) => kind === "ready")));
    // Both are of one class, so that the other one takes what this one was chosen for.
    has.signal("SIGSTOP");
    await inTemporaryFolder(async (folder) => {
      const target = { kind: "module", url: moduleUrl("tiny.bench.mjs") } as const;
      await expect(fleet.load(1, folder, { ...short, target })).rejects.toMatchObject({
        code: "PART_FAILED",
        message: expect.stringMatching(
          /cannot be offered: lab \(two\): This agent refuses the part: it has no module/,
        ) as string,
      });
    });
  });
});
