import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readRequests } from "../src/load/request-file.js";
import { readTrace, type TraceOptions } from "../src/load/trace-file.js";
import { inTemporaryFolder } from "./example-record.js";

/** Writes a file and reads it. */
async function read<T>(
  name: string,
  content: string | readonly unknown[],
  reader: (path: string) => Promise<T>,
): Promise<T> {
  return await inTemporaryFolder(async (folder) => {
    const path = join(folder, name);
    const text =
      typeof content === "string"
        ? content
        : content.map((line) => JSON.stringify(line)).join("\n");
    await writeFile(path, text);
    return await reader(path);
  });
}

describe("a file of prompts", () => {
  it("has one on each line of a text", async () => {
    expect(await read("prompts.txt", "\uFEFFone\r\n\n two \n", readRequests)).toEqual([
      { prompt: "one" },
      { prompt: " two " },
    ]);
  });

  it("has objects in JSON lines, with the length of the answer where it is known", async () => {
    const messages = [{ role: "user", content: "Call me." }];
    const lines = [
      { prompt: "one", output_tokens: 5 },
      { messages, max_tokens: 7 },
      { prompt: "three" },
    ];
    expect(await read("prompts.jsonl", lines, readRequests)).toEqual([
      { prompt: "one", outputTokens: 5 },
      { prompt: { messages }, outputTokens: 7 },
      { prompt: "three" },
    ]);
  });

  const conversation = {
    id: "x1",
    conversations: [
      { from: "human", value: "Which whale?" },
      { from: "gpt", value: "The white one, of course." },
      { from: "human", value: "Why?" },
    ],
  };

  it("has ShareGPT's conversations: the first turn, and the length of the second", async () => {
    const expected = [{ prompt: "Which whale?", outputTokens: 7 }];
    const whole = JSON.stringify([conversation]);
    expect(await read("sharegpt.json", whole, readRequests)).toEqual(expected);
    expect(await read("sharegpt.jsonl", [conversation], readRequests)).toEqual(expected);
  });

  it.each<[string, string | readonly unknown[], RegExp]>([
    ["prompts.txt", "\n\n", /has no prompts/],
    ["prompts.jsonl", "{", /prompts\.jsonl:1: /],
    ["prompts.jsonl", [{ prompt: "one" }, []], /:2: A line is a JSON object/],
    ["prompts.jsonl", [{}], /:1: It must have one of "prompt", "messages"/],
    ["prompts.jsonl", [{ prompt: "a", messages: [] }], /:1: It must have one of/],
    ["prompts.jsonl", [{ prompt: "" }], /:1: .*empty/i],
    ["prompts.jsonl", [{ prompt: 5 }], /:1: The prompt is 5/],
    ["prompts.jsonl", [{ prompt: "a", top_p: 1 }], /:1: There is no field "top_p"/],
    ["prompts.jsonl", [{ prompt: "a", max_tokens: 0 }], /:1: The length of the answer is 0/],
    ["prompts.jsonl", [{ prompt: "a", max_tokens: 1, output_tokens: 1 }], /say the same/],
    ["prompts.jsonl", [{ conversations: [] }], /:1: "conversations" must be/],
    ["prompts.jsonl", [{ conversations: "no" }], /:1: "conversations" must be/],
    ["prompts.json", "{}", /is no array/],
    ["prompts.json", "[", /is no JSON/],
    ["prompts.json", "[null]", /entry 0: A line is a JSON object/],
  ])("is refused: %s %j", async (name, content, message) => {
    const refused = read(name, content, readRequests);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });

  it("has to be there", async () => {
    await expect(readRequests("nowhere.jsonl")).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringContaining("The file of prompts cannot be read"),
    });
  });
});

describe("a trace", () => {
  const mooncake = [
    { timestamp: 3000, input_length: 700, output_length: 20, hash_ids: [4, 5] },
    { timestamp: 1000, input_length: 10, output_length: 5, hash_ids: [4], type: "chat" },
    { timestamp: 3000, input_tokens: 6, output_tokens: 9 },
  ];

  async function trace(
    content: string | readonly unknown[],
    options?: TraceOptions,
    name = "trace.jsonl",
  ): ReturnType<typeof readTrace> {
    return await read(name, content, (path) => readTrace(path, options));
  }

  it("of Mooncake is replayed in the order of its times, from its first request", async () => {
    expect(await trace(mooncake)).toEqual({
      dueNanoseconds: [0, 2e9, 2e9],
      requests: [
        { inputTokens: 10, outputTokens: 5, blocks: [4] },
        { inputTokens: 700, outputTokens: 20, blocks: [4, 5] },
        { inputTokens: 6, outputTokens: 9 },
      ],
    });
  });

  it("can be faster, and cut off", async () => {
    expect((await trace(mooncake, { speed: 4 })).dueNanoseconds).toEqual([0, 5e8, 5e8]);
    expect((await trace(mooncake, { speed: 4, seconds: 0.5 })).dueNanoseconds).toEqual([0]);
  });

  it("can have its prompts", async () => {
    const { requests } = await trace([{ timestamp: 0, prompt: "Ahoy", output_length: 3 }]);
    expect(requests).toEqual([{ prompt: "Ahoy", outputTokens: 3 }]);
  });

  it("of BurstGPT has columns, in seconds", async () => {
    const csv =
      "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\r\n" +
      "5,ChatGPT,472,18,490,Conversation log\r\n45.5,GPT-4,1087,230,1317,API log\r\n";
    expect(await trace(csv, {}, "BurstGPT.csv")).toEqual({
      dueNanoseconds: [0, 40.5e9],
      requests: [
        { inputTokens: 472, outputTokens: 18 },
        { inputTokens: 1087, outputTokens: 230 },
      ],
    });
  });

  it.each<[string | readonly unknown[], RegExp, string?]>([
    ["", /has no requests/],
    [[{ input_length: 1, output_length: 1 }], /:1: timestamp, in milliseconds, is undefined/],
    [[{ timestamp: "0", input_length: 1, output_length: 1 }], /:1: timestamp/],
    [[{ timestamp: -1, input_length: 1, output_length: 1 }], /:1: timestamp.* is -1/],
    [[{ timestamp: 0, output_length: 1 }], /:1: It has no input_length/],
    [[{ timestamp: 0, input_length: 1 }], /:1: It has no output_length/],
    [[{ timestamp: 0, input_length: 1.5, output_length: 1 }], /:1: The input is 1.5/],
    [[{ timestamp: 0, input_length: 1, output_length: 1, hash_ids: ["a"] }], /:1: hash_ids/],
    [[{ timestamp: 0, input_length: 1, output_length: 1, session_id: "s" }], /"session_id" makes/],
    ["not json", /:1: /],
    ["Time,Tokens\n1,2\n", /no column "timestamp"/, "trace.csv"],
    ["Timestamp,Request tokens,Response tokens\n1,2\n", /:2: Response tokens is missing/, "t.csv"],
    [
      "Timestamp,Request tokens,Response tokens\n1,2,3\n1,2,0\n",
      /:3: Response tokens is 0/,
      "t.csv",
    ],
    ["Timestamp,Request tokens,Response tokens\nx,2,3\n", /:2: Timestamp, in seconds/, "t.csv"],
  ])("is refused: %j", async (content, message, name) => {
    const refused = trace(content, {}, name);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });

  it("has a speed above 0", async () => {
    await expect(trace(mooncake, { speed: 0 })).rejects.toMatchObject({ code: "INVALID_OPTION" });
  });
});
