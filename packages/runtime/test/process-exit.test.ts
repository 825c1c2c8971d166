import { spawnSync } from "node:child_process";
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { embeddedModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "./temporary-folder.js";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

type Ended = { status: number | null; signal: string | null; stdout: string };

/** Runs a module with a runtime in a process of its own. */
function run(body: string, options = "{}"): Ended {
  return runModule(`import { createRuntime } from "@streamgauge/runtime";
    const config = { maxTokens: 900, ignoreEos: true };
    const runtime = await createRuntime(${options});
    ${body}`);
}

function runModule(script: string): Ended {
  return spawnSync(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: packageFolder,
    encoding: "utf8",
    timeout: 60_000,
  });
}

describe("a process", () => {
  it("ends by itself when nothing runs, without close()", () => {
    const { status, stdout } = run(`
      console.log((await runtime.generate("It is not", { maxTokens: 5 })).ids.length);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "5\n" });
  });

  it("is kept open by nothing that an idle runtime holds", () => {
    const { status, stdout } = run(`
      await runtime.generate("It is not", { maxTokens: 5 });
      await runtime.memory();
      console.log(process.getActiveResourcesInfo().join());`);
    expect(status).toBe(0);
    // What else is listed is the pipes to this test.
    expect(stdout).not.toMatch(/MessagePort|Worker|Timeout/);
  });

  it("keeps no worker of a model that was refused, and ends by itself", async () => {
    const model = await temporaryFolder();
    await cp(embeddedModel, model, { recursive: true });
    await writeFile(join(model, "tokenizer.json"), "{");
    const { status, stdout } = runModule(`
      import { createRuntime } from "@streamgauge/runtime";
      const model = ${JSON.stringify(model)};
      await createRuntime({ model, workers: 3 }).catch(({ code }) => console.log(code));
      console.log(process.getActiveResourcesInfo().join());`);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^MODEL_CORRUPT\n/);
    expect(stdout).not.toMatch(/MessagePort|Worker|Timeout/);
  });

  describe.each(["waitAsync", "message", "block"])("that waits with %s", (wait) => {
    it("stays alive while a stream is awaited, and ends by itself after one it left", () => {
      const { status, stdout } = run(
        `let tokens = 0;
         for await (const _ of runtime.generateStreamAsync("It is not", { maxTokens: 30 })) tokens++;
         console.log(tokens);
         for await (const _ of runtime.generateStreamAsync("It is not", config)) break;
         const left = runtime.generateStreamAsync("It is not", { maxTokens: 30 });
         const iterator = left[Symbol.asyncIterator]();
         await iterator.next();`,
        `{ ring: { wait: "${wait}" } }`,
      );
      expect({ status, stdout }).toEqual({ status: 0, stdout: "30\n" });
    });

    it("is kept alive by a ring's sleeping consumer alone", () => {
      const { status, stdout } = runModule(`
        import { createRing, resolveRingOptions } from "@streamgauge/runtime/ring";
        import { Worker } from "node:worker_threads";
        const ring = createRing(resolveRingOptions({ wait: "${wait}", capacity: 1 }));
        const worker = new Worker(
          \`import { RingProducer } from "@streamgauge/runtime/ring";
           import { workerData } from "node:worker_threads";
           const producer = new RingProducer(workerData);
           producer.begin();
           setTimeout(async () => {
             for (let index = 0; index < 3; index++) {
               const token = { index, id: 0, text: "", endOfSequence: false };
               while (!producer.push(token)) await producer.writable();
             }
             producer.end();
           }, 50);\`,
          { eval: true, workerData: ring.memory, transferList: [...ring.transfer] });
        worker.unref();
        let tokens = 0;
        while (await ring.consumer.wait()) if (ring.consumer.poll() !== undefined) tokens++;
        console.log(tokens, ring.consumer.ending);`);
      expect({ status, stdout }).toEqual({ status: 0, stdout: "3 complete\n" });
    });

    it("is kept alive by a ring's dozing consumer alone, and not by its clock", () => {
      const { status, stdout } = runModule(`
        import { createRing, resolveRingOptions } from "@streamgauge/runtime/ring";
        import { Worker } from "node:worker_threads";
        const options = { wait: "${wait}", maxDelayMilliseconds: 1000 };
        const ring = createRing(resolveRingOptions(options));
        const worker = new Worker(
          \`import { RingProducer } from "@streamgauge/runtime/ring";
           import { workerData } from "node:worker_threads";
           const producer = new RingProducer(workerData);
           producer.begin();
           let index = 0;
           const push = () => {
             const producedAtMilliseconds = performance.now();
             producer.push({ index: index++, id: 0, text: "", endOfSequence: false, producedAtMilliseconds });
           };
           setTimeout(push, 50);
           setTimeout(push, 60);
           setTimeout(push, 160);
           setTimeout(() => producer.end(), 260);\`,
          { eval: true, workerData: ring.memory, transferList: [...ring.transfer] });
        worker.unref();
        let tokens = 0;
        while (await ring.consumer.wait()) while (ring.consumer.poll() !== undefined) tokens++;
        console.log(tokens, ring.consumer.ending);`);
      expect({ status, stdout }).toEqual({ status: 0, stdout: "3 complete\n" });
    });
  });

  it("stays alive until the runtime is closed, whatever else was asked meanwhile", () => {
    const { status, stdout } = run(`
      const running = runtime.generate("It is not", config);
      await runtime.memory();
      const started = runtime.startDiagnostic("timeline").then(() => "started", ({ code }) => code);
      await Promise.all([runtime.memory(), runtime.close()]);
      console.log((await running).finishReason, await started);`);
    expect(status).toBe(0);
    // Which answer comes first is open; that there is one is not.
    expect(stdout).toMatch(/^closed (started|CLOSED)\n$/);
  });

  it("ends by itself while diagnostics run", () => {
    const { status, stdout } = run(`
      const { startDiagnostic } = await import("@streamgauge/runtime/diagnostics");
      for (const kind of ["cpuProfile", "allocations", "timeline", "asyncActivity"]) {
        await startDiagnostic(kind);
        await runtime.startDiagnostic(kind);
      }
      console.log((await runtime.generate("It is not", { maxTokens: 5 })).ids.length);`);
    expect({ status, stdout }).toEqual({ status: 0, stdout: "5\n" });
  });

  it.each([
    [
      "exits",
      3,
      `for await (const { index } of runtime.generateStreamAsync("It is not", config)) {
         if (index === 50) process.exit(3);
       }`,
    ],
    [
      "throws",
      1,
      `await runtime.generateStream("It is not", ({ index }) => {
         if (index === 50) setImmediate(() => { throw new Error("a bug elsewhere"); });
       }, config);`,
    ],
  ])("keeps its exit code when it %s in the middle of a stream", (_, code, body) => {
    const { status, signal } = run(body);
    expect({ status, signal }).toEqual({ status: code, signal: null });
  });
});
