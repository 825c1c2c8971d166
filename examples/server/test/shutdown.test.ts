import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { pacedModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { serve } from "./serve.js";

const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
// Windows ends a process at once when it is sent a signal.
const hasSignals = process.platform !== "win32";

interface Command {
  readonly child: ChildProcess;
  /** The first line of output that contains this. */
  readonly line: (part: string) => Promise<string>;
  readonly exit: Promise<number | null>;
}

function run(...flags: string[]): Command {
  const child = spawn(process.execPath, [cli, ...flags], { stdio: ["ignore", "pipe", "inherit"] });
  const seen: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on("line", (line) => void seen.push(line));
  const exit = once(child, "exit").then(([code]) => code as number | null);
  return {
    child,
    exit,
    async line(part) {
      for (;;) {
        const found = seen.find((line) => line.includes(part));
        if (found !== undefined) return found;
        await Promise.race([
          once(lines, "line"),
          exit.then(() => expect.fail(`ended without "${part}": ${seen.join("\n")}`)),
        ]);
      }
    },
  };
}

describe("closing the server", () => {
  it("lets streams end, and takes no more", async () => {
    const served = await serve({ model: pacedModel({ stepMicroseconds: 500 }) });
    const { client, model, server } = served;
    const stream = await client.completions.create({
      model,
      prompt: "go",
      max_tokens: 200,
      stream: true,
    });
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    const closed = server.close(100_000);
    await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
    let last: unknown;
    for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) {
      last = step.value.choices[0];
    }
    expect(last).toMatchObject({ finish_reason: "length", native_finish_reason: "length" });
    await closed;
    await expect(served.runtime.generate("go")).rejects.toMatchObject({ code: "CLOSED" });
  });

  it("cuts short what takes longer than the grace, and says so", async () => {
    const served = await serve({ model: pacedModel({ stepMicroseconds: 500 }) });
    const { client, model, server } = served;
    const endless = { model, prompt: "go", max_tokens: 1_000_000 };
    const stream = await client.completions.create({ ...endless, stream: true });
    const chunks = stream[Symbol.asyncIterator]();
    await chunks.next();
    const closed = server.close(0);
    let last: unknown;
    for (let step = await chunks.next(); step.done !== true; step = await chunks.next()) {
      last = step.value.choices[0];
    }
    expect(last).toMatchObject({ finish_reason: "length", native_finish_reason: "closed" });
    await closed;
  });
});

describe("the command", () => {
  it("says what it takes, and refuses the rest", async () => {
    const help = run("--help");
    for (const flag of ["--max-queue <n>", "--allow-host <name>", "--allow-origin <origin>"]) {
      await help.line(flag);
    }
    await help.line("(env: STREAMGAUGE_API_KEY)");
    expect(await help.exit).toBe(0);
    const wrong = spawn(process.execPath, [cli, "--port", "whale"], { stdio: "pipe" });
    let said = "";
    wrong.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    expect((await once(wrong, "close"))[0]).toBe(1);
    expect(said).toContain("It must be an integer from 0 to 65535.");
  });

  it.each([
    ["--dtype q5", "Allowed choices are fp32, fp16, "],
    ["--dtype q4", "model_q4.onnx"],
    ["--execution-provider abacus", "onnxruntime-node has on this platform: cpu"],
    ["--max-batch 0", "It must be an integer ≥ 1."],
    ["--allow-host localhost:80", "without a port"],
    ["--allow-origin *", "It must be an origin"],
  ])("does not begin with %s", async (flags, message) => {
    const wrong = spawn(process.execPath, [cli, "--port", "0", ...flags.split(" ")]);
    let said = "";
    wrong.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    expect((await once(wrong, "close"))[0]).toBe(1);
    expect(said).toContain(message);
  });

  it("does not begin with a key that cannot be sent, nor say it", async () => {
    const env = { ...process.env, STREAMGAUGE_API_KEY: "two words" };
    const wrong = spawn(process.execPath, [cli, "--port", "0"], { env });
    let said = "";
    wrong.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
    wrong.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
    expect((await once(wrong, "close"))[0]).toBe(1);
    expect(said).toContain("The API key cannot be used");
    expect(said).not.toContain("two words");
  });

  it.runIf(hasSignals)("serves until it is told to end, and ends well", async () => {
    const command = run("--port", "0", "--workers", "1", "--max-batch", "2", "--dtype", "fp32");
    expect(await command.line("loaded")).toMatch(
      /^pequod, 1 worker: loaded in \d+ ms, \d+ MiB per worker$/,
    );
    const url = /http:\S+/.exec(await command.line("Serving"))?.[0] ?? "";
    const response = await fetch(`${url}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "pequod", prompt: "Call me", max_tokens: 60, stream: true }),
    });
    command.child.kill("SIGTERM");
    expect(await response.text()).toMatch(/data: \[DONE\]\n\n$/);
    expect(await command.exit).toBe(0);
  });

  it.runIf(hasSignals)("does not wait when it is told twice", async () => {
    const command = run("--port", "0", "--workers", "1");
    const { port } = new URL(/http:\S+/.exec(await command.line("Serving"))?.[0] ?? "");
    // A request that never ends to come.
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.on("error", () => undefined);
    socket.write(
      "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n",
    );
    socket.write("Content-Length: 10\r\n\r\n{");
    // Answered on the same event loop after the request was seen.
    await fetch(`http://127.0.0.1:${port}/health`, { headers: { connection: "close" } });
    command.child.kill("SIGINT");
    await command.line("Closing");
    // The first half second belongs to the first signal.
    const again = setInterval(() => command.child.kill("SIGINT"), 50);
    expect(await command.exit).toBe(130);
    clearInterval(again);
    socket.destroy();
  });
});
