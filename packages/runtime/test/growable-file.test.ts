import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readFileWithRoom, withAppended } from "../src/engine/growable-file.js";
import { temporaryFolder } from "./temporary-folder.js";

it("appends to a file's bytes where they are, or to a copy when there is no room", async () => {
  const file = join(await temporaryFolder(), "model.onnx");
  await writeFile(file, "weights");
  const bytes = await readFileWithRoom(file);
  expect(Buffer.from(bytes).toString()).toBe("weights");
  const grown = withAppended(bytes, Buffer.from(" and"), Buffer.from(" nodes"));
  expect(Buffer.from(grown).toString()).toBe("weights and nodes");
  expect(grown.buffer).toBe(bytes.buffer);
  const much = Buffer.alloc(2 << 20, "x");
  const copied = withAppended(bytes, much);
  expect(copied.buffer).not.toBe(bytes.buffer);
  expect(Buffer.compare(copied, Buffer.concat([Buffer.from("weights"), much]))).toBe(0);
});

it("fails as reading does", async () => {
  const missing = join(await temporaryFolder(), "model.onnx");
  await expect(readFileWithRoom(missing)).rejects.toMatchObject({ code: "ENOENT" });
});
