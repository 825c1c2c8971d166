import { StreamgaugeError, isStreamgaugeError, messageOf, type ErrorCode } from "@streamgauge/core";
import { StreamgaugeError as AnotherCopy } from "../src/errors.js";
import { describe, expect, it } from "vitest";

describe("StreamgaugeError", () => {
  it("is recognised when another copy of the package made it", () => {
    const foreign = new AnotherCopy("STREAM_CONSUMED", "read already");
    expect(foreign).not.toBeInstanceOf(StreamgaugeError);
    expect(isStreamgaugeError(foreign)).toBe(true);
    expect(isStreamgaugeError(foreign, "STREAM_CONSUMED")).toBe(true);
    expect(isStreamgaugeError(foreign, "INVALID_PROMPT")).toBe(false);
    expect(isStreamgaugeError(new Error("STREAM_CONSUMED"))).toBe(false);
    expect(isStreamgaugeError(undefined)).toBe(false);
  });

  it("keeps code, message, cause and partial result across a structured clone", () => {
    const error = new StreamgaugeError("INVALID_PROMPT", "The prompt is no JSON", {
      cause: new SyntaxError("Unexpected token"),
      partial: { ids: [1], text: "a" },
    });
    const wire = structuredClone(StreamgaugeError.toWire(error, "ENGINE_FAILED"));
    const restored = StreamgaugeError.fromWire(wire);
    expect(restored).toMatchObject({
      code: "INVALID_PROMPT",
      message: error.message,
      partial: { ids: [1], text: "a" },
    });
    expect(restored.cause).toMatchObject({ message: "Unexpected token" });
  });

  it("gives a foreign error the fallback code", () => {
    expect(StreamgaugeError.toWire(new Error("boom"), "ENGINE_FAILED")).toEqual({
      code: "ENGINE_FAILED",
      message: "boom",
    });
    expect(StreamgaugeError.toWire("boom", "ENGINE_FAILED").message).toBe("boom");
  });

  it("has only codes that this package or an imported one declares", () => {
    // @ts-expect-error a code of the bench, which this package knows nothing of
    const foreign: ErrorCode = "INVALID_RECORD";
    expect(new StreamgaugeError(foreign, "damaged").code).toBe("INVALID_RECORD");
  });
});

describe("messageOf", () => {
  it.each([
    [new RangeError("far off"), "far off"],
    ["a text", "a text"],
    [null, "null"],
    [Object.create(null), "a thrown object that has no text"],
    [{ toString: null }, "a thrown object that has no text"],
  ])("has words for whatever was thrown: %#", (thrown: unknown, words) => {
    expect(messageOf(thrown)).toBe(words);
  });
});
