import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedModel } from "@streamgauge/runtime";
import { expect, it, onTestFinished, vi } from "vitest";
import { serve } from "./serve.js";

it("a pulled model is served by its name on the hub", async () => {
  const cache = await mkdtemp(join(tmpdir(), "streamgauge-hub-"));
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true, force: true });
  });
  vi.stubEnv("HF_HUB_CACHE", cache);
  const commit = "1".repeat(40);
  const repository = join(cache, "models--owner--tiny");
  await cp(embeddedModel, join(repository, "snapshots", commit), { recursive: true });
  await mkdir(join(repository, "refs"));
  await writeFile(join(repository, "refs", "main"), commit);

  const model = "owner/tiny";
  await using served = await serve({ model: `hub:${model}` });
  const { client } = served;
  expect(await client.models.retrieve(model)).toMatchObject({ id: model });
  const made = await client.completions.create({ model, prompt: "Call me", max_tokens: 3 });
  expect(made).toMatchObject({ model, usage: { completion_tokens: 3 } });

  await expect(serve({ model: "hub:owner/other" })).rejects.toMatchObject({
    code: "MODEL_NOT_FOUND",
    message: expect.stringContaining("`streamgauge pull owner/other`") as string,
  });
});
