import type { Treatment } from "@streamgauge/bench/record";

/** What charts call the ways of consuming tokens, where there is little room. */
export const shortModeNames: Readonly<Record<Treatment, string>> = {
  generate: "generate",
  control: "again",
  stream: "sync",
  streamAsync: "async",
};
