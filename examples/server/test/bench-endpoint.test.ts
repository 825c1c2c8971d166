import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { serve } from "./serve.js";

const require = createRequire(import.meta.url);
const command = join(
  dirname(require.resolve("@streamgauge/bench/package.json")),
  "bin/streamgauge.js",
);

it("is measured by its address alone, against another address of it", async () => {
  await using served = await serve({}, { apiKey: "a-key-of-the-test" });
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-endpoint-"));
  try {
    const { url } = served.server;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [
        command,
        "bench",
        "--verbose",
        "--url",
        `${url}/v1`,
        "--model",
        served.model,
        "--max-tokens",
        "6",
        "--key-env",
        "ENDPOINT_KEY",
        "--against",
        url.replace("127.0.0.1", "localhost") + "/v1",
        "--against-key-env",
        "ENDPOINT_KEY",
        "--blocks",
        "1",
        "--out",
        folder,
      ],
      { env: { ...process.env, ENDPOINT_KEY: "a-key-of-the-test" } },
    );
    const record = await readFile(join(folder, "record.json"), "utf8");
    expect(JSON.parse(record)).toMatchObject({
      status: "complete",
      cells: [{ status: "complete" }, { status: "complete" }],
    });
    expect(record + stdout + stderr).not.toContain("a-key-of-the-test");
    expect(stdout).toContain("Two endpoints in the same blocks");
    expect(served.failures).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
