import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeCertificate } from "../../bench/test/certificate.js";
import { expectWhole, inTemporaryFolder, tinyRun } from "./fleet-run.js";
import { startAgent, startCoordinator } from "./processes.js";
import { startRedis, type TestRedis } from "./redis-server.js";

let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis({ password: "open-sesame-4712", tls: makeCertificate() });
});

afterAll(async () => {
  await redis.remove();
});

it("a run over TLS is as any other, where Node knows who signed the certificate", async () => {
  const env = { NODE_EXTRA_CA_CERTS: redis.certificateFile };
  expect(redis.url).toMatch(/^rediss:/);
  const agent = startAgent({ redis: redis.url, label: "lab", machine: "one" }, env);
  try {
    await inTemporaryFolder(async (folder) => {
      const options = { ...tinyRun, outputFolder: folder };
      const coordinator = startCoordinator(options, { redis: redis.url, agents: 1 }, env);
      expect(await coordinator.ended).toBe(0);
      const [name = ""] = (await readdir(folder)).filter((each) => each.startsWith("lab-"));
      await expectWhole(join(folder, name));
    });
  } finally {
    await agent.kill();
  }
});

it("refuses a certificate that nobody vouches for, and says how to be told of one", async () => {
  const bin = fileURLToPath(new URL("../../bench/bin/streamgauge.js", import.meta.url));
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const stderr = await new Promise<string>((resolve) => {
    const given = ["fleet", "status", "--redis", redis.url];
    execFile(process.execPath, [bin, ...given], { env }, (_error, _out, said) => resolve(said));
  });
  expect(stderr).toMatch(/^REDIS_FAILED: The Redis server at rediss:.*self-signed certificate/);
  expect(stderr).toContain("NODE_EXTRA_CA_CERTS");
  expect(stderr).not.toContain("open-sesame");
});
