import {
  createInlineGenerator,
  createRuntime,
  pacedModel,
  type Runtime,
  type RuntimeOptions,
} from "@streamgauge/runtime";
import { StepGate } from "@streamgauge/runtime/diagnostics";
import { afterEach, describe, expect, it } from "vitest";

const open: Runtime[] = [];

/** A runtime of the paced model, all of whose generations a gate holds. */
async function gatedRuntime(): Promise<{ readonly runtime: Runtime; readonly gate: StepGate }> {
  const gate = new StepGate();
  const model = pacedModel({ stepMicroseconds: 0 });
  const runtime = await createRuntime({ model, stepGate: () => gate });
  open.push(runtime);
  return { runtime, gate };
}

/** Ids that the paced model makes after a prompt of ids, which it counts on from. */
function idsAfter(last: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => last + 1 + index);
}

afterEach(async () => {
  await Promise.all(open.splice(0).map(async (runtime) => await runtime.close()));
});

describe("StepGate", () => {
  it("holds nothing until it is told to", async () => {
    const { runtime } = await gatedRuntime();
    const { ids } = await runtime.generate([6], { maxTokens: 50 });
    expect(ids).toEqual(idsAfter(6, 50));
  });

  it("holds a stream after the tokens that it allows, and every generation anew", async () => {
    const { runtime, gate } = await gatedRuntime();
    for (const start of [10, 20]) {
      const seen: number[] = [];
      gate.allow(3);
      const done = runtime.generateStream([start], ({ id }) => void seen.push(id), {
        maxTokens: 10,
      });
      await gate.held();
      await expect.poll(() => seen).toEqual(idsAfter(start, 3));
      gate.allow(5);
      await gate.held();
      await expect.poll(() => seen).toEqual(idsAfter(start, 8));
      gate.open();
      expect((await done).ids).toEqual(idsAfter(start, 10));
    }
  });

  it("lets generations of one worker take turns, in all modes, with the ids that they have alone", async () => {
    const gates = new Map(["a", "b", "c"].map((name) => [name, new StepGate()]));
    const runtime = await createRuntime({
      tuning: "rule",
      stepGate: (clientId) => gates.get(clientId ?? ""),
    });
    open.push(runtime);
    const config = { maxTokens: 12, ignoreEos: true, temperature: 0 };
    const prompt = "Call me";
    const { ids } = await runtime.generate(prompt, config);
    for (const gate of gates.values()) gate.allow(4);
    const async = runtime.generateStreamAsync(prompt, { ...config, clientId: "c" });
    const iterated: number[] = [];
    const done = Promise.all([
      runtime.generate(prompt, { ...config, clientId: "a" }),
      runtime.generateStream(prompt, () => undefined, { ...config, clientId: "b" }),
      (async () => {
        for await (const { id } of async) iterated.push(id);
        return await async.result;
      })(),
    ]);
    for (const turn of [0, 1]) {
      for (const gate of gates.values()) {
        await gate.held();
        if (turn === 0) gate.allow(4);
        else gate.open();
      }
    }
    expect((await done).map((result) => result.ids)).toEqual([ids, ids, ids]);
    expect(iterated).toEqual(ids);
  });

  it("holds nobody else", async () => {
    const gate = new StepGate();
    const runtime = await createRuntime({
      tuning: "rule",
      stepGate: (clientId) => (clientId === "held" ? gate : undefined),
    });
    open.push(runtime);
    gate.allow(1);
    const held = runtime.generate("Call me", { maxTokens: 5, clientId: "held" });
    await gate.held();
    const { ids } = await runtime.generate("Call me", { maxTokens: 20 });
    expect(ids).toHaveLength(20);
    gate.open();
    expect((await held).ids).toHaveLength(5);
  });

  it("lets a generation go that is stopped", async () => {
    const { runtime, gate } = await gatedRuntime();
    const stopping = new AbortController();
    gate.allow(2);
    const done = runtime.generate([0], { maxTokens: 1000, signal: stopping.signal });
    await gate.held();
    stopping.abort();
    const { finishReason } = await done;
    expect(finishReason).toBe("aborted");
  });

  it("lets a runtime close while it holds its generation", async () => {
    const { runtime, gate } = await gatedRuntime();
    gate.allow(2);
    const done = runtime.generate([0], { maxTokens: 1000 });
    await gate.held();
    await runtime.close();
    expect((await done).finishReason).toBe("closed");
  });

  it("waits for no hold once it is open", async () => {
    const gate = new StepGate();
    gate.allow(1);
    const held = gate.held();
    gate.open();
    await expect(held).resolves.toBeUndefined();
  });

  it("is refused where it is no function", async () => {
    const options = { stepGate: new StepGate() } as unknown as RuntimeOptions;
    await expect(createRuntime(options)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/stepGate.*must be a function/) as string,
    });
  });

  it("is none of the inline generator's options", async () => {
    const options = { model: pacedModel({ stepMicroseconds: 0 }), stepGate: () => undefined };
    await expect(createInlineGenerator(options)).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});
