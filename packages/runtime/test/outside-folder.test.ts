import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { createInlineGenerator, embeddedModel } from "@streamgauge/runtime";
import { describe, expect, it } from "vitest";
import { readLeanModel } from "../src/onnx/lean-model.js";
import { ElementType, encodeExternalTensor } from "../src/onnx/protobuf.js";
import { temporaryFolder } from "./temporary-folder.js";

/** A folder beside a file that is none of its own. */
async function folderBesideSecret(): Promise<string> {
  const parent = await temporaryFolder();
  await writeFile(join(parent, "secret.bin"), Buffer.alloc(1 << 13, 1));
  const model = join(parent, "model");
  await cp(embeddedModel, model, { recursive: true });
  return model;
}

const outside: [string, (model: string) => string][] = [
  ["..", () => "../secret.bin"],
  [".. in between", () => "onnx/../../secret.bin"],
  [".. that stays inside", () => "x/../model.onnx"],
  ["a backslash", () => "..\\secret.bin"],
  ["an absolute path", (model) => join(model, "..", "secret.bin")],
  ["an absolute path of the folder's own", (model) => join(model, "onnx", "model.onnx")],
  ["a drive", () => "C:secret.bin"],
  ["a byte of zero", () => "secret.bin\0.onnx"],
];

describe("genai_config.json is refused that names a graph by", () => {
  async function openNamed(filename: string, model: string): Promise<unknown> {
    await rm(join(model, "onnx"), { recursive: true });
    const decoder = { filename };
    const config = { model: { type: "llama", vocab_size: 2048, context_length: 64, decoder } };
    await writeFile(join(model, "genai_config.json"), JSON.stringify(config));
    return await createInlineGenerator({ model });
  }

  it.each(outside)("%s", async (_, name) => {
    const model = await folderBesideSecret();
    const filename = name(model);
    await expect(openNamed(filename, model)).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining(
        `genai_config.json names the file ${JSON.stringify(filename)}`,
      ) as string,
    });
  });

  it.each([".", "./", "folder"])("a folder: %s", async (filename) => {
    const model = await folderBesideSecret();
    await mkdir(join(model, "folder"));
    await expect(openNamed(filename, model)).rejects.toMatchObject({ code: "MODEL_CORRUPT" });
  });

  it("a name that is too long", async () => {
    const model = await folderBesideSecret();
    const opening = openNamed(`${"x".repeat(5000)}.onnx`, model);
    await expect(opening).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
  });
});

const makePipe = (path: string): Promise<unknown> => promisify(execFile)("mkfifo", [path]);
const linkDevice = (path: string): Promise<void> => symlink("/dev/zero", path);

/** Put something at a path that is no file; Windows has no pipes and devices among files. */
const noFiles: ((path: string) => Promise<unknown>)[] = [
  (path) => mkdir(path),
  ...(process.platform === "win32" ? [] : [makePipe, linkDevice]),
];

/** Fields of a graph that have a tensor in them, however deep. */
const nestings: [string, (tensor: Uint8Array) => Uint8Array][] = [
  ["a graph", (tensor) => field(7, field(5, tensor))],
  ["a constant", (tensor) => field(7, field(1, field(5, field(5, tensor))))],
  ["a list of constants", (tensor) => field(7, field(1, field(5, field(10, tensor))))],
  ["a branch", (tensor) => field(7, field(1, field(5, field(6, field(5, tensor)))))],
  ["a sparse tensor", (tensor) => field(7, field(15, field(1, tensor)))],
  ["a function", (tensor) => field(25, field(7, field(5, field(5, tensor))))],
];

function field(number: number, contents: Uint8Array): Uint8Array {
  return new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(contents).finish();
}

function externalTensor(file: string): Uint8Array {
  const header = { name: "stolen", element: ElementType.uint8, dimensions: [16] };
  // Without the tag of the graph's field, and its length of one byte.
  const bytes = encodeExternalTensor(header, { file, position: 0 });
  const lengthBytes = bytes.length > 129 ? 2 : 1;
  return bytes.subarray(1 + lengthBytes);
}

describe("a graph is refused whose weights are named by", () => {
  it.each(outside)("%s", async (_, name) => {
    const model = await folderBesideSecret();
    const location = name(model);
    const file = join(model, "onnx", "model.onnx");
    const graph = await readFile(file);
    await writeFile(file, Buffer.concat([graph, field(7, field(5, externalTensor(location)))]));
    await expect(createInlineGenerator({ model })).rejects.toMatchObject({
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining(
        `model.onnx names the file ${JSON.stringify(location)}`,
      ) as string,
    });
  });

  it.each(nestings)(".., in %s", async (_, nest) => {
    const file = join(await temporaryFolder(), "model.onnx");
    await writeFile(file, nest(externalTensor("../secret.bin")));
    await expect(readLeanModel(file)).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
  });

  it.each(nestings)("nothing, in %s", async (_, nest) => {
    const file = join(await temporaryFolder(), "model.onnx");
    await writeFile(file, nest(externalTensor("")));
    await expect(readLeanModel(file)).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
  });

  it("what is no file", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "model.onnx");
    for (const [index, put] of noFiles.entries()) {
      const location = `no-file-${index}`;
      await put(join(folder, location));
      await writeFile(file, field(7, field(5, externalTensor(location))));
      await expect(readLeanModel(file)).rejects.toMatchObject({
        code: "MODEL_CORRUPT",
        message: expect.stringContaining(join(folder, location)) as string,
      });
    }
  });
});

it("leaves the places of weights in a folder of their own, and what is not external", async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "weights"));
  await writeFile(join(folder, "weights", "first.bin"), Buffer.alloc(16));
  const file = join(folder, "model.onnx");
  const tensor = externalTensor("weights/first.bin");
  for (const [, nest] of nestings) {
    await writeFile(file, nest(tensor));
    const moved = Buffer.from(await readLeanModel(file)).toString("latin1");
    expect(moved).toContain("/weights/first.bin");
  }
  // `data_location` again, now DEFAULT: the last counts.
  const inner = Buffer.concat([externalTensor("../x"), Uint8Array.of(0x70, 0)]);
  await writeFile(file, field(7, field(5, inner)));
  expect(Buffer.from(await readLeanModel(file)).toString("latin1")).not.toContain("../x");
});

describe("a model folder is refused with a folder, a pipe or a device in place of", () => {
  it.each([
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
    "genai_config.json",
    join("onnx", "model.onnx"),
  ])("%s", async (name) => {
    const model = await folderBesideSecret();
    const file = join(model, name);
    for (const put of noFiles) {
      await rm(file, { recursive: true, force: true });
      await put(file);
      await expect(createInlineGenerator({ model })).rejects.toMatchObject({
        code: "MODEL_CORRUPT",
        message: expect.stringContaining(`${file} is damaged`) as string,
      });
    }
  });
});
