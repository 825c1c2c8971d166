import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import type { TestCertificate } from "../../bench/test/certificate.js";

/** The program. Debian's package redis-server has it, and any Redis from 6.2 on, or Valkey. */
const program = process.env["REDIS_SERVER"] ?? "redis-server";

/** A Redis server of a test's own, on a free port, with a folder of its own. */
export interface TestRedis {
  /** Its address, with the password where it has one. */
  readonly url: string;
  readonly port: number;
  /** PEM; only where it speaks TLS. */
  readonly certificateFile: string | undefined;
  /** SIGKILL: what it did not write is lost. */
  kill(): Promise<void>;
  /** Again, on the same port, with what it wrote. */
  start(): Promise<void>;
  /** Stops it, and starts it again a moment later. */
  pauseFor(milliseconds: number): Promise<void>;
  client(): Redis;
  remove(): Promise<void>;
}

/** What a client is told beside the address. */
interface RedisConnection {
  readonly tls?: { readonly ca: string };
}

/** How a server is started. */
export interface RedisOptions {
  readonly password?: string | undefined;
  /** It speaks TLS alone, with this certificate. */
  readonly tls?: TestCertificate | undefined;
}

/**
 * Starts one that writes each command to disk before it answers.
 *
 * @throws Error saying how to get a server, where there is none
 */
export async function startRedis({ password, tls }: RedisOptions = {}): Promise<TestRedis> {
  requireProgram();
  const folder = await mkdtemp(join(tmpdir(), "streamgauge-redis-"));
  const port = await freePort();
  const secret = password === undefined ? "" : `:${password}@`;
  const url = `${tls === undefined ? "redis" : "rediss"}://${secret}127.0.0.1:${port}`;
  const connection: RedisConnection = tls === undefined ? {} : { tls: { ca: tls.certificate } };
  const certificateFile = tls === undefined ? undefined : join(folder, "certificate.pem");
  if (tls !== undefined) {
    await writeFile(join(folder, "certificate.pem"), tls.certificate);
    await writeFile(join(folder, "key.pem"), tls.key);
  }
  const clients: Redis[] = [];
  let server: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    server = spawn(program, argumentsOf(port, folder, { password, tls }), { stdio: "ignore" });
    await answers(url, connection);
  };
  const kill = async (): Promise<void> => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill("SIGKILL");
    await ended;
  };
  await start();
  return {
    url,
    port,
    certificateFile,
    kill,
    start,
    async pauseFor(milliseconds) {
      server?.kill("SIGSTOP");
      await pause(milliseconds);
      server?.kill("SIGCONT");
    },
    client() {
      const client = new Redis(url, { maxRetriesPerRequest: null, ...connection });
      client.on("error", () => undefined);
      clients.push(client);
      return client;
    },
    async remove() {
      for (const client of clients) client.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function argumentsOf(port: number, folder: string, { password, tls }: RedisOptions): string[] {
  return [
    ...(tls === undefined
      ? [["--port", String(port)]]
      : [
          ["--port", "0"],
          ["--tls-port", String(port)],
          ["--tls-cert-file", join(folder, "certificate.pem")],
          ["--tls-key-file", join(folder, "key.pem")],
          ["--tls-ca-cert-file", join(folder, "certificate.pem")],
          ["--tls-auth-clients", "no"],
        ]),
    ["--bind", "127.0.0.1"],
    ["--dir", folder],
    ["--save", ""],
    ["--appendonly", "yes"],
    ["--appendfsync", "always"],
    ...(password === undefined ? [] : [["--requirepass", password]]),
  ].flat();
}

function requireProgram(): void {
  const { error } = spawnSync(program, ["--version"], { stdio: "ignore" });
  if (error === undefined) return;
  throw new Error(
    `These tests start Redis servers of their own, and "${program}" does not start ` +
      `(${error.message}). Install one: "apt-get install redis-server" on Debian and Ubuntu, "brew ` +
      `install redis" on macOS; or set REDIS_SERVER to the path of one.`,
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { readonly port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function answers(url: string, connection: RedisConnection): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, ...connection });
    client.on("error", () => undefined);
    try {
      await client.connect();
      await client.ping();
      return;
    } catch (error) {
      if (tries > 200) throw error;
      await pause(50);
    } finally {
      client.disconnect();
    }
  }
}
