import { expect, it, vi } from "vitest";
import { readExamples, runExample } from "../../../scripts/readme-example.js";
import { serve } from "./serve.js";

it("the README's example streams from the server", async () => {
  const [example = ""] = await readExamples(new URL("../README.md", import.meta.url));
  const address = "http://127.0.0.1:8080";
  expect(example).toContain(address);
  await using served = await serve();
  const { runtime, server } = served;
  const { text } = await runtime.generate("It is not down in any map;\n\n", {
    ...runtime.describe().recommendedSampling,
    maxTokens: 60,
    seed: 26,
  });
  let written = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((piece) => {
    written += String(piece);
    return true;
  });
  try {
    await runExample(example.replace(address, server.url), new URL(".", import.meta.url));
  } finally {
    write.mockRestore();
  }
  expect(written).toBe(text);
});
