import { join } from "node:path";
import { coordinate } from "@streamgauge/fleet";
import { expect, it } from "vitest";
import { expectWhole, inTemporaryFolder, tinyRun } from "./fleet-run.js";
import { coordinatorTimings, startAgent } from "./processes.js";
import { startRedis } from "./redis-server.js";

it("two classes of machines are measured apart, each with a record and verdicts of its own", async () => {
  const redis = await startRedis();
  const agents = [
    startAgent({ redis: redis.url, label: "c7g.large", machine: "one" }),
    startAgent({ redis: redis.url, label: "m7i.large", machine: "two" }),
  ];
  try {
    await inTemporaryFolder(async (outputFolder) => {
      const { classes } = await coordinate(
        {
          ...tinyRun,
          outputFolder,
          claims: [
            { id: "wide", metric: "overhead", treatment: "stream", limit: 1e6, of: { tokens: 10 } },
          ],
        },
        { redis: redis.url, agents: 2, timings: coordinatorTimings },
      );
      expect(classes.map(({ label }) => label)).toEqual(["c7g.large", "m7i.large"]);
      for (const { machineClass, label, record } of classes) {
        await expectWhole(join(outputFolder, machineClass));
        expect(machineClass).toMatch(label === "c7g.large" ? /^c7g-large-\w{8}$/ : /^m7i-large-/);
        expect(record.machines).toMatchObject([{ label, processes: [0, 1, 2, 3, 4, 5, 6, 7] }]);
        expect(record.claims).toMatchObject([{ id: "wide", verdict: "upheld" }]);
      }
    });
  } finally {
    await Promise.all(agents.map((agent) => agent.kill()));
    await redis.remove();
  }
});
