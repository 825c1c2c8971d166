import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { chunkBytes, type Manifest } from "../src/messages/manifest.js";
import { downloadPart } from "../src/parts/download-part.js";
import { commitPart, dropChunks, uploadFiles } from "../src/parts/upload-part.js";
import type { Redis } from "../src/redis/connection.js";
import { keysOf } from "../src/redis/keys.js";
import { exampleEnvironment } from "./example-environment.js";
import { startRedis, type TestRedis } from "./redis-server.js";

let server: TestRedis;
let redis: Redis;
const keys = keysOf("test");

beforeAll(async () => {
  server = await startRedis();
  redis = server.client();
});

afterAll(async () => {
  await server.remove();
});

/** Uploads a document and a file, and gives the manifest that would name them. */
async function upload(part: string, session: string, bytes: Uint8Array): Promise<Manifest> {
  const files = new Map<string, Uint8Array>([
    ["part", Buffer.from(JSON.stringify({ session }))],
    ["samples-0", bytes],
  ]);
  return {
    version: 1,
    part,
    machine: session,
    label: "lab",
    session,
    environment: exampleEnvironment,
    files: await uploadFiles(redis, keys, part, {
      names: [...files.keys()],
      read: (name) => Promise.resolve(files.get(name) as Uint8Array),
    }),
  };
}

it("gives back what was measured, file by file", async () => {
  const bytes = randomBytes(2 * chunkBytes + 3);
  const manifest = await upload("whole", "one", bytes);
  expect(manifest.files[1]?.chunks).toHaveLength(3);
  expect(await downloadPart(redis, keys, "whole")).toBeUndefined();
  expect(await commitPart(redis, keys, manifest)).toMatchObject({ isFirst: true });
  const downloaded = await downloadPart(redis, keys, "whole");
  expect(downloaded?.recorded.document).toEqual({ session: "one" });
  expect([...(downloaded?.recorded.files.keys() ?? [])]).toEqual(["samples-0"]);
  expect(Buffer.compare(downloaded?.recorded.files.get("samples-0") ?? Buffer.of(), bytes)).toBe(0);
  expect(downloaded?.recorded.machine).toMatchObject({ name: "one", label: "lab" });
});

it("an empty file is one too", async () => {
  const manifest = await upload("empty", "one", new Uint8Array());
  await commitPart(redis, keys, manifest);
  const downloaded = await downloadPart(redis, keys, "empty");
  expect(downloaded?.recorded.files.get("samples-0")?.byteLength).toBe(0);
});

it("the first execution counts, and the second one is dropped whole", async () => {
  const first = await upload("twice", "one", randomBytes(10));
  const second = await upload("twice", "two", randomBytes(10));
  const commit = await commitPart(redis, keys, first);
  expect(await commitPart(redis, keys, second)).toEqual({ ...commit, isFirst: false });
  // Where an answer was lost, the first asks again, and is still the first.
  expect(await commitPart(redis, keys, first)).toEqual(commit);
  expect((await downloadPart(redis, keys, "twice"))?.manifest).toEqual(first);
  const chunks = first.files.flatMap((file) => file.chunks);
  const left = await redis.keys(keys.chunk("twice", "*"));
  expect(left.toSorted()).toEqual(chunks.map((hash) => keys.chunk("twice", hash)).toSorted());
});

it("a part of which a piece is gone or other is not taken", async () => {
  const manifest = await upload("damaged", "one", randomBytes(10));
  await commitPart(redis, keys, manifest);
  const [hash] = manifest.files[1]?.chunks ?? [];
  const key = keys.chunk("damaged", hash ?? "");
  await redis.set(key, "other");
  const damaged = {
    code: "INVALID_MESSAGE",
    message: expect.stringContaining("damaged") as string,
  };
  await expect(downloadPart(redis, keys, "damaged")).rejects.toMatchObject(damaged);
  await redis.del(key);
  await expect(downloadPart(redis, keys, "damaged")).rejects.toMatchObject(damaged);
});

it("everything expires, and can be taken away before", async () => {
  const manifest = await upload("expiring", "one", randomBytes(10));
  await commitPart(redis, keys, manifest);
  for (const key of await redis.keys("test:*expiring*")) {
    expect(await redis.ttl(key)).toBeGreaterThan(0);
  }
  await dropChunks(redis, keys, manifest);
  expect(await redis.keys("test:*expiring*")).toEqual([keys.manifest("expiring")]);
});
