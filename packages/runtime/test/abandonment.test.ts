import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { toReadableStream, type Generator, type TokenStream } from "@streamgauge/core";
import { createRuntime, pacedModel } from "@streamgauge/runtime";
import { expect, it } from "vitest";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

it.each<[string, (stream: TokenStream) => unknown]>([
  ["never read", () => undefined],
  ["read in part", (stream) => stream[Symbol.asyncIterator]().next()],
  ["a web stream, read in part", (stream) => toReadableStream(stream).getReader().read()],
])("a dropped stream gives its worker back: %s", async (_, use) => {
  await using runtime = await createRuntime({
    model: pacedModel({ stepMicroseconds: 20 }),
    ring: { capacity: 8 },
  });
  const drop = async (generator: Generator): Promise<void> => {
    await use(generator.generateStreamAsync("go", { maxTokens: 1_000_000 }));
  };
  await drop(runtime);
  const free: number[][] = [];
  // It waits for the one worker.
  const next = runtime.generate("next", { maxTokens: 3 }).then(({ ids }) => free.push([...ids]));
  for (let pass = 0; pass < 200 && free.length === 0; pass++) {
    collectGarbage();
    await runtime.memory();
  }
  expect(free).toEqual([[0, 1, 2]]);
  await next;
});
