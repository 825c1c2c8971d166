import { createInlineGenerator, createRuntime, pacedModel } from "@streamgauge/runtime";
import { listSupportedBackends } from "onnxruntime-node";
import { describe, expect, it } from "vitest";

const bundled = listSupportedBackends().flatMap(({ name, bundled: is }) => (is ? [name] : []));

describe.each([
  ["a worker", createRuntime],
  ["the calling thread", createInlineGenerator],
] as const)("the execution provider of %s", (_, open) => {
  it("is the CPU, asked for or not", async () => {
    await using plain = await open();
    await using asked = await open({ executionProvider: "cpu" });
    expect(plain.describe().executionProvider).toBe("cpu");
    expect(asked.describe().executionProvider).toBe("cpu");
    const config = { maxTokens: 12 };
    const { ids } = await plain.generate("The whale", config);
    expect((await asked.generate("The whale", config)).ids).toEqual(ids);
  });

  it.each([
    "abacus",
    ...["dml", "coreml", "cuda", "tensorrt", "webgpu"].filter((name) => !bundled.includes(name)),
  ])("is refused when it is not there, with those that are: %s", async (executionProvider) => {
    expect(bundled).toContain("cpu");
    await expect(open({ executionProvider })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message:
        `executionProvider is "${executionProvider}"; it must be one that onnxruntime-node has on this platform: ` +
        `${bundled.join(", ")}.`,
    });
  });

  it("is nothing to ask of the paced model", async () => {
    const model = pacedModel({ stepMicroseconds: 0 });
    await expect(open({ model, executionProvider: "cpu" })).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining("leave executionProvider out") as string,
    });
  });
});
