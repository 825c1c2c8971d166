import { resolvePrompt } from "@streamgauge/core";
import { describe, expect, it } from "vitest";

const user = { role: "user", content: "Call me" };

describe("resolvePrompt", () => {
  it("takes text and any array of ids", () => {
    expect(resolvePrompt("hello")).toBe("hello");
    expect(resolvePrompt([1, 2])).toEqual([1, 2]);
    expect(resolvePrompt(Uint16Array.of(3, 4))).toEqual([3, 4]);
  });

  it("takes a conversation, and gives it back as plain data of its own", () => {
    const messages = [
      { role: "system", content: "" },
      Object.assign(Object.create({ name: "inherited" }) as object, user),
    ];
    const resolved = resolvePrompt({ messages });
    expect(resolved).toEqual({ messages: [{ role: "system", content: "" }, user] });
    expect(structuredClone(resolved)).toEqual(resolved);
  });

  it.each<[unknown, RegExp]>([
    ["", /empty/],
    [[], /empty/],
    [[1, -2], /position 1 is -2/],
    [[1.5], /position 0 is 1.5/],
    [["a"], /position 0 is "a"/],
    [undefined, /The prompt is undefined/],
    [{}, /The prompt is of type object/],
    [{ messages: [] }, /empty/],
    [{ messages: "hello" }, /"messages" is "hello"; it must be an array/],
    [{ messages: [user], tools: [] }, /The prompt has the unknown field "tools"/],
    [{ messages: [user, "hello"] }, /Message 1 of the prompt is "hello"/],
    [{ messages: [[user]] }, /Message 0 of the prompt is an array/],
    [{ messages: [user, { content: "a" }] }, /Message 1 of the prompt has the role undefined/],
    [{ messages: [{ role: "", content: "a" }] }, /Message 0 of the prompt has the role ""/],
    [{ messages: [{ role: "user" }] }, /Message 0 of the prompt has the content undefined/],
    [
      { messages: [{ role: "user", content: [{ type: "text", text: "a" }] }] },
      /Message 0 of the prompt has the content an array/,
    ],
    [
      { messages: [user, user, { ...user, tool_calls: [] }] },
      /Message 2 of the prompt has the unknown field "tool_calls": leave it out/,
    ],
  ])("rejects %j", (prompt, message) => {
    expect(() => resolvePrompt(prompt as never)).toThrow(
      expect.objectContaining({
        code: "INVALID_PROMPT",
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});
