import { cp, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInlineGenerator, embeddedModel } from "@streamgauge/runtime";
import type { ModelDtype } from "../src/onnx/model-dtype.js";
import { expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

async function copyOfModel(): Promise<string> {
  const folder = join(await temporaryFolder(), "model");
  await cp(embeddedModel, folder, { recursive: true });
  return folder;
}

const config = { maxTokens: 12, ignoreEos: true };

async function idsOf(model: string, dtype?: ModelDtype): Promise<readonly number[]> {
  await using generator = await createInlineGenerator({ model, ...(dtype && { dtype }) });
  return (await generator.generate("Call me", config)).ids;
}

it.each<[string, ModelDtype | undefined]>([
  ["model.onnx", undefined],
  ["decoder_model_merged.onnx", "fp32"],
  ["model_q4.onnx", "q4"],
])("a graph beside config.json runs, as optimum writes it: %s", async (name, dtype) => {
  const model = await copyOfModel();
  await rename(join(model, "onnx", "model.onnx"), join(model, name));
  await rm(join(model, "onnx"), { recursive: true });
  expect(await idsOf(model, dtype)).toEqual(await idsOf(embeddedModel));
});

it("one of the folder onnx comes first, and of the other dtypes those of either place are named", async () => {
  const model = await copyOfModel();
  await writeFile(join(model, "model.onnx"), "no graph");
  await writeFile(join(model, "model_q4.onnx"), "no graph");
  await writeFile(join(model, "onnx", "model_fp16.onnx"), "no graph");
  expect(await idsOf(model)).toEqual(await idsOf(embeddedModel));
  await expect(createInlineGenerator({ model, dtype: "q8" })).rejects.toMatchObject({
    code: "MODEL_NOT_FOUND",
    message: expect.stringMatching(/has the model as fp32, fp16, q4: choose one/) as string,
  });
});

it("byte-order marks at the beginning of files change nothing", async () => {
  const messages = [{ role: "user", content: "Who goes there?" }];
  const answerOf = async (model: string): Promise<readonly number[]> => {
    await using generator = await createInlineGenerator({ model });
    return (await generator.generate({ messages }, config)).ids;
  };
  const model = await copyOfModel();
  await writeFile(join(model, "chat_template.jinja"), "{{ messages[0].content }}\n\nI said:");
  const expected = await answerOf(model);
  const names = (await readdir(model)).filter((name) => /\.(json|jinja)$/.test(name));
  expect(names.length).toBeGreaterThanOrEqual(4);
  for (const name of names) {
    const file = join(model, name);
    await writeFile(file, `\uFEFF${await readFile(file, "utf8")}`);
  }
  expect(await answerOf(model)).toEqual(expected);
});
