// The embedded model, from the installed package, in all three modes.
import assert from "node:assert/strict";
import { createRuntime } from "@streamgauge/runtime";

const prompt = "Call me Ishmael.";
const config = { maxTokens: 5 };
const runtime = await createRuntime();
try {
  const { ids, text } = await runtime.generate(prompt, config);
  assert.equal(ids.length, 5);

  const fromCallback = [];
  await runtime.generateStream(prompt, ({ id }) => void fromCallback.push(id), config);
  assert.deepEqual(fromCallback, [...ids]);

  const fromIteration = [];
  for await (const { id } of runtime.generateStreamAsync(prompt, config)) fromIteration.push(id);
  assert.deepEqual(fromIteration, [...ids]);
  process.stdout.write(JSON.stringify(text));
} finally {
  await runtime.close();
}
