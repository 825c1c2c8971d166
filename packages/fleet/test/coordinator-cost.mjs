// What a part costs its coordinator: node test/coordinator-cost.mjs [agents], in this package, after a
// build. It runs the tiny scenario on agents of this machine with the usual timings, and prints CPU time
// of this process and of Redis, Redis's commands, and bytes, for each part. What an idle fleet costs in
// the same time is measured before, and taken off.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { coordinate } from "@streamgauge/fleet";
import { Redis } from "ioredis";

const count = Number(process.argv[2] ?? 2);
const idleSeconds = 20;
const modules = [new URL("tiny.bench.mjs", import.meta.url).href];
const folder = await mkdtemp(join(tmpdir(), "streamgauge-cost-"));
const port = await freePort();
const redisUrl = `redis://127.0.0.1:${port}`;
const server = spawn(
  process.env["REDIS_SERVER"] ?? "redis-server",
  ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder, "--save", ""],
  { stdio: "ignore" },
);
const agents = [];
const watcher = new Redis(redisUrl, { maxRetriesPerRequest: null });
watcher.on("error", () => undefined);
try {
  await watcher.ping();
  for (let index = 0; index < count; index += 1) agents.push(startAgent(`cost-${index}`));
  await Promise.all(agents.map(({ ready }) => ready));
  const idle = await during(async () => {
    await pause(1000 * idleSeconds);
  });
  // When agents were first looked for, and last: what is before and after belongs to the run, not to parts.
  let looks = [];
  const run = async (name, seed) => {
    looks = [];
    await coordinate(
      {
        preset: "standard",
        scenarios: ["tiny"],
        modules,
        seed,
        claims: [],
        outputFolder: join(folder, name),
      },
      { redis: redisUrl, agents: count, onProgress: () => looks.push(process.cpuUsage()) },
    );
  };
  // The first run compiles what the second one runs.
  await run("warm-up", 6);
  const busy = await during(() => run("run", 7));
  // Of a standard run without claims.
  const measured = 8;
  const ofParts = secondsOf(looks.at(-1)) - secondsOf(looks[0]);
  const off = (field) => busy[field] - (idle[field] * busy.seconds) / idle.seconds;
  console.log(
    [
      `${measured} parts in ${busy.seconds.toFixed(1)} s, ${count} agents`,
      `coordinator: ${((1000 * ofParts) / measured).toFixed(1)} ms of CPU time for each part, and ` +
        `${(1000 * (busy.ownSeconds - ofParts)).toFixed(0)} ms for the run`,
      `Redis: ${((1000 * off("redisSeconds")) / measured).toFixed(1)} ms of CPU time, ` +
        `${(off("commands") / measured).toFixed(0)} commands, ` +
        `${(off("bytesIn") / measured / 1024).toFixed(0)} KiB in and ` +
        `${(off("bytesOut") / measured / 1024).toFixed(0)} KiB out for each part`,
      `idle: ${(idle.commands / idle.seconds / count).toFixed(1)} commands a second for each agent`,
    ].join("\n"),
  );
} finally {
  for (const { child } of agents) child.kill("SIGKILL");
  watcher.disconnect();
  server.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
}

/** What this process and Redis spent while something ran. */
async function during(work) {
  const [before, ownBefore, begun] = [await readServer(), process.cpuUsage(), performance.now()];
  await work();
  const own = process.cpuUsage(ownBefore);
  const seconds = (performance.now() - begun) / 1000;
  const after = await readServer();
  const spent = Object.fromEntries(
    Object.entries(after).map(([name, value]) => [name, value - before[name]]),
  );
  return { ...spent, seconds, ownSeconds: (own.user + own.system) / 1e6 };
}

function secondsOf({ user, system }) {
  return (user + system) / 1e6;
}

async function readServer() {
  const info = await watcher.info("everything");
  const field = (name) => Number(new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1] ?? 0);
  return {
    redisSeconds: field("used_cpu_user") + field("used_cpu_sys"),
    commands: field("total_commands_processed"),
    bytesIn: field("total_net_input_bytes"),
    bytesOut: field("total_net_output_bytes"),
  };
}

function startAgent(machine) {
  const program = fileURLToPath(new URL("agent-process.mjs", import.meta.url));
  const options = JSON.stringify({ redis: redisUrl, label: "cost", machine, modules });
  const child = spawn(process.execPath, [program, options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { child, ready: once(child.stdout, "data") };
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port: found } = probe.address();
  probe.close();
  await once(probe, "close");
  return found;
}
