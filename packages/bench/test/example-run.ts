import type { Run, Treatment } from "../src/record/index.js";

const memory = { residentBytes: 1, heapUsedBytes: 1, externalBytes: 1, arrayBufferBytes: 1 };

/** A run of which only the time matters. */
export function runOf(treatment: Treatment, endToEndNanoseconds: number): Run {
  return {
    treatment,
    endToEndNanoseconds,
    timeToFirstTokenNanoseconds: null,
    timePerOutputTokenNanoseconds: null,
    cpuMicroseconds: 1,
    eventLoopUtilization: 0,
    memory,
  };
}
