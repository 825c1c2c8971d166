import { StreamgaugeError, isStreamgaugeError, type ErrorCode } from "@streamgauge/core";
import { expect, it } from "vitest";
import type { BenchErrorCodes } from "@streamgauge/bench";
import type { RuntimeErrorCodes } from "@streamgauge/runtime";

// Compiles only where the registry of core holds the codes of all three packages.
const codes = [
  "INVALID_OPTION",
  "MODEL_CORRUPT" satisfies keyof RuntimeErrorCodes,
  "OUTPUT_MISMATCH" satisfies keyof BenchErrorCodes,
] as const satisfies readonly ErrorCode[];

it.each(codes)("%s is a code of a StreamgaugeError", (code) => {
  const error = StreamgaugeError.fromWire(
    structuredClone(StreamgaugeError.toWire(new StreamgaugeError(code, "so"), "ENGINE_FAILED")),
  );
  expect(isStreamgaugeError(error, code)).toBe(true);
});
