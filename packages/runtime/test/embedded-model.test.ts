import { spawnSync } from "node:child_process";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createInlineGenerator } from "@streamgauge/runtime";
import { demoCommand } from "@streamgauge/runtime/cli";
import { expect, it, vi } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";
import { openTransformersReference } from "./transformers-reference.js";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

it("a clone without the embedded model says how to build it", async () => {
  const clone = join(await temporaryFolder(), "clone");
  await mkdir(clone);
  for (const part of ["dist", "package.json"]) {
    await cp(join(packageFolder, part), join(clone, part), { recursive: true });
  }
  await symlink(join(packageFolder, "node_modules"), join(clone, "node_modules"), "junction");
  const script = `
    const { createRuntime } = await import("./dist/index.js");
    await createRuntime().catch(({ code, message }) => console.log(code, message));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: clone,
    encoding: "utf8",
  });
  expect(stdout).toMatch(/^MODEL_NOT_FOUND .*`pnpm turbo build:model`/);
});

const messages = [
  { role: "system", content: "You are a sailor." },
  { role: "user", content: "Call me" },
  { role: "assistant", content: "Ishmael." },
  { role: "user", content: "Why?" },
];

it("takes conversations, a paragraph for each message, as transformers.js does", async () => {
  await using generator = await createInlineGenerator();
  expect(generator.describe().chatTemplate).toBe(true);
  const written = "You are a sailor.\n\nCall me\n\nIshmael.\n\nWhy?\n\n";
  const plain = await generator.generate(written, { maxTokens: 20 });
  const answer = await generator.generate({ messages }, { maxTokens: 20 });
  expect(answer.ids).toEqual(plain.ids);
  expect(answer.usage.promptTokens).toBe(plain.usage.promptTokens);

  const { model, tokenizer } = await openTransformersReference();
  try {
    const theirs = tokenizer.apply_chat_template(messages, {
      add_generation_prompt: true,
      tokenize: false,
    });
    expect(theirs).toBe(written);
  } finally {
    await model.dispose();
  }
});

it("goes on from its own answer without running it again", async () => {
  await using generator = await createInlineGenerator();
  const first = [{ role: "user", content: "Call me" }];
  const { text, usage } = await generator.generate({ messages: first }, { maxTokens: 12 });
  const turns = [...first, { role: "assistant", content: text }, { role: "user", content: "Why?" }];
  const second = await generator.generate({ messages: turns }, { maxTokens: 4 });
  expect(second.usage.cachedTokens).toBeGreaterThan(usage.promptTokens);
});

it("refuses messages of others than system, user and assistant", async () => {
  await using generator = await createInlineGenerator();
  const odd = [{ role: "tool", content: "x" }];
  await expect(generator.generate({ messages: odd })).rejects.toMatchObject({
    code: "INVALID_PROMPT",
    message: expect.stringMatching(/system, user and assistant, and this is one of tool/) as string,
  });
});

it("answers in the demo with --chat", async () => {
  await using generator = await createInlineGenerator();
  const asked = [{ role: "user", content: "What is a whale?" }];
  const { recommendedSampling } = generator.describe();
  const config = { ...recommendedSampling, maxTokens: 200, seed: 26 };
  const { text } = await generator.generate({ messages: asked }, config);
  let output = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((piece) => {
    output += String(piece);
    return true;
  });
  try {
    await demoCommand().parseAsync(["What is a whale?", "--chat"], { from: "user" });
  } finally {
    write.mockRestore();
  }
  expect(output.startsWith(`What is a whale?\n\n${text}\n`)).toBe(true);
});
