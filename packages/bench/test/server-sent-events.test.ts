import { describe, expect, it } from "vitest";
import {
  readEvents,
  type ForeignLine,
  type ServerSentEvent,
} from "../src/adapters/server-sent-events.js";

const encoder = new TextEncoder();

async function* inPieces(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield piece;
}

type Items = (ServerSentEvent | ForeignLine)[];

async function itemsOf(...pieces: readonly Uint8Array[]): Promise<Items> {
  const all: Items = [];
  for await (const items of readEvents(inPieces(...pieces))) all.push(...items);
  return all;
}

async function dataOf(...pieces: readonly Uint8Array[]): Promise<string[]> {
  return (await itemsOf(...pieces)).map((item) => {
    if (!("whole" in item && item.whole)) expect.fail(`not a whole event: ${JSON.stringify(item)}`);
    return item.data;
  });
}

const stream = [
  ": keep-alive",
  "data: one",
  "",
  "event: message",
  "id: 7",
  "data: two,",
  "data:over lines",
  "",
  ":",
  "",
  'data: {"é":"🐋 whale"}',
  "",
  "",
].join("\n");
const expected = ["one", "two,\nover lines", '{"é":"🐋 whale"}'];

describe("readEvents", () => {
  for (const [name, lineEnd] of [
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ] as const) {
    const bytes = encoder.encode(stream.replaceAll("\n", lineEnd));

    it(`reads events between ${name}, wherever the network splits them`, async () => {
      expect(await dataOf(bytes)).toEqual(expected);
      for (let at = 0; at <= bytes.length; at += 1) {
        expect(await dataOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(expected);
      }
    });

    it(`reads events between ${name} byte by byte`, async () => {
      const single = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
      expect(await dataOf(...single)).toEqual(expected);
    });
  }

  it("gives an event as soon as its blank line is here, also after CR", async () => {
    for (const end of ["\n\n", "\r\n\r\n", "\r\r"]) {
      let resolve: (() => void) | undefined;
      const never = new Promise<void>((settle) => {
        resolve = settle;
      });
      const body = async function* (): AsyncGenerator<Uint8Array> {
        yield encoder.encode(`data: now${end}`);
        await never;
      };
      const reader = readEvents(body());
      const first = await reader.next();
      expect(first.value).toMatchObject([{ data: "now" }]);
      resolve?.();
      expect((await reader.next()).done).toBe(true);
    }
  });

  it.each(["", "\n", "\r", "\r\n"])(
    "says of an event that the end of the stream cuts it off, after %j",
    async (lineEnd) => {
      const bytes = encoder.encode(`data: whole\n\nevent: last\ndata: cut${lineEnd}`);
      for (let at = 0; at <= bytes.length; at += 1) {
        expect(await itemsOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual([
          { event: undefined, data: "whole", whole: true },
          { event: "last", data: "cut", whole: false },
        ]);
      }
    },
  );

  it("gives lines with an unknown field in their place, also the last one", async () => {
    const bytes = encoder.encode('data: a\n\nerror: {"x": 1}\n\ndata: b\n\n{"error":\n"bare"}');
    const expectedItems = [
      { event: undefined, data: "a", whole: true },
      { foreign: 'error: {"x": 1}' },
      { event: undefined, data: "b", whole: true },
      { foreign: '{"error":' },
      { foreign: '"bare"}' },
    ];
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(await itemsOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(expectedItems);
    }
  });

  it("passes over what is not text and over fields of the standard", async () => {
    const bytes = [
      ...encoder.encode("\uFEFFretry: soon\nid: 1\ndata: "),
      0xff,
      0xe2,
      0x82,
      0x0a,
      0x0a,
    ];
    expect(await dataOf(Uint8Array.from(bytes))).toEqual(["\uFFFD\uFFFD"]);
  });

  it("refuses an event without end before memory is full", async () => {
    const mebibyte = encoder.encode("a".repeat(1024 * 1024));
    const body = async function* (): AsyncGenerator<Uint8Array> {
      yield encoder.encode("data: ");
      for (;;) yield mebibyte;
    };
    const read = async (): Promise<void> => {
      for await (const items of readEvents(body())) expect(items).toEqual([]);
    };
    await expect(read()).rejects.toMatchObject({
      code: "ENGINE_FAILED",
      message: expect.stringContaining("16777216 characters") as string,
    });
  });
});
