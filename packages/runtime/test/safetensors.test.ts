import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { openSafetensors } from "../src/onnx/build/safetensors.js";
import { temporaryFolder } from "./temporary-folder.js";

function file(header: unknown, data: Uint8Array = new Uint8Array(), claimed?: bigint): Buffer {
  const json = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(json.length));
  return Buffer.concat([length, json, data]);
}

function tensor(
  dtype: string,
  shape: readonly unknown[],
  offsets: readonly unknown[],
): Record<string, unknown> {
  return { dtype, shape, data_offsets: offsets };
}

async function written(bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), "model.safetensors");
  await writeFile(path, bytes);
  return path;
}

const four = new Uint8Array(4);

describe("openSafetensors refuses", () => {
  it.each<[string, Buffer, string]>([
    ["an empty file", Buffer.alloc(0), "too few"],
    ["a file shorter than the length field", Buffer.alloc(7), "too few"],
    ["a header longer than the file", file({}, four, 1000n), "claims 1000 bytes"],
    ["a header of 100 MB", file({}, four, 100_000_000n), "at most 16000000"],
    ["a header length beyond any file", file({}, four, 2n ** 64n - 1n), "at most 16000000"],
    ["a header that is cut off", file({ a: 1 }, undefined, 3n), "not JSON"],
    ["a header that is not JSON", file("weights!"), "not JSON"],
    ["a header that is not UTF-8", file("x\u0000").fill(0xff, 8), "not JSON"],
    ["a header that is a list", file([]), "not a JSON object"],
    ["a header that is null", file("null"), "not a JSON object"],
    ["a tensor that is null", file({ w: null }), "tensor w lacks"],
    ["a tensor without a shape", file({ w: { dtype: "F32", data_offsets: [0, 4] } }, four), "w"],
    ["a negative size", file({ w: tensor("F32", [-1], [0, 4]) }, four), "tensor w lacks"],
    ["a fractional size", file({ w: tensor("F32", [0.5], [0, 2]) }, four), "tensor w lacks"],
    ["negative offsets", file({ w: tensor("F32", [1], [-4, 0]) }, four), "tensor w lacks"],
    ["one offset", file({ w: tensor("F32", [1], [4]) }, four), "tensor w lacks"],
    ["offsets backwards", file({ w: tensor("F32", [1], [4, 0]) }, four), "span -4"],
    ["offsets too close for the shape", file({ w: tensor("F32", [2], [0, 4]) }, four), "needs 8"],
    ["offsets too far for the type", file({ w: tensor("F16", [1], [0, 4]) }, four), "needs 2"],
    ["sizes that overflow", file({ w: tensor("F32", [2 ** 40, 2 ** 40], [0, 4]) }, four), "needs"],
    ["a tensor beyond the end", file({ w: tensor("F32", [2], [0, 8]) }, four), "file has"],
    [
      "tensors that overlap",
      file({ a: tensor("F16", [2], [0, 4]), b: tensor("F16", [1], [2, 4]) }, four),
      "tensor b overlaps",
    ],
    [
      "a hole between tensors",
      file({ a: tensor("F16", [1], [0, 2]), b: tensor("F16", [0], [4, 4]) }, four),
      "hole before tensor b",
    ],
    ["bytes that belong to no tensor", file({ a: tensor("F16", [1], [0, 2]) }, four), "2 bytes"],
  ])("%s", async (_, bytes, reason) => {
    const path = await written(bytes);
    await expect(openSafetensors(path)).rejects.toMatchObject({
      code: "MODEL_CORRUPT",
      message: expect.stringContaining(reason),
    });
    await expect(openSafetensors(path)).rejects.toThrow(path);
  });

  it("a type that is not implemented, by name", async () => {
    const path = await written(file({ w: tensor("I64", [1], [0, 8]) }, new Uint8Array(8)));
    await expect(openSafetensors(path)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringMatching(/tensor w has type I64/),
    });
  });

  it("a file that is not there", async () => {
    const path = join(await temporaryFolder(), "none.safetensors");
    await expect(openSafetensors(path)).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
      message: expect.stringContaining(path),
    });
  });
});

describe("openSafetensors reads", () => {
  it("every type widened to float32", async () => {
    const singles = [1.5, -2, 3.25];
    const data = Buffer.concat([
      new Uint8Array(Float32Array.from(singles).buffer),
      // 1, −2, the smallest subnormal, the largest finite, −0, ∞
      new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x7c00).buffer),
      // 1, −2, about 3.39e38
      new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x7f7f).buffer),
    ]);
    const header = {
      __metadata__: { format: "pt" },
      brain: tensor("BF16", [3], [24, 30]),
      half: tensor("F16", [2, 3], [12, 24]),
      none: tensor("F32", [0, 7], [12, 12]),
      single: tensor("F32", [3, 1], [0, 12]),
    };
    const opened = await openSafetensors(await written(file(header, data)));
    expect([...opened.tensors.keys()].toSorted()).toEqual(["brain", "half", "none", "single"]);
    expect(opened.tensors.get("half")?.shape).toEqual([2, 3]);
    const read = async (name: string): Promise<number[]> => {
      const values: number[] = [];
      for await (const piece of opened.pieces(name)) values.push(...piece);
      return values;
    };
    expect(await read("single")).toEqual(singles);
    expect(await read("half")).toEqual([1, -2, 2 ** -24, 65504, -0, Infinity]);
    expect(await read("brain")).toEqual([1, -2, (2 - 2 ** -7) * 2 ** 127]);
    expect(await read("none")).toEqual([]);
    await expect(read("nobody")).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
    await opened.close();
  });

  it("a large tensor in pieces of whole rows", async () => {
    // 1,500 rows of 1,000: more than the million elements of a piece.
    const values = Float32Array.from({ length: 1_500_000 }, (_, index) => index);
    const header = { w: tensor("F32", [1500, 1000], [0, values.byteLength]) };
    const opened = await openSafetensors(
      await written(file(header, new Uint8Array(values.buffer))),
    );
    let length = 0;
    for await (const piece of opened.pieces("w")) {
      expect(piece.length % 1000).toBe(0);
      expect(piece.length).toBeLessThanOrEqual(2 ** 20);
      expect(
        Buffer.compare(
          Buffer.from(piece.buffer),
          Buffer.from(values.buffer, length * 4, piece.byteLength),
        ),
      ).toBe(0);
      length += piece.length;
    }
    expect(length).toBe(values.length);
    await opened.close();
  });
});
