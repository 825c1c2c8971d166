import type { Treatment } from "@streamgauge/bench/record";

/** What documents call the ways of consuming tokens. */
export const modeNames: Readonly<Record<Treatment, string>> = {
  generate: "generate",
  control: "generate again",
  stream: "sync stream",
  streamAsync: "async stream",
};

/** The same where there is little room. */
export const shortModeNames: Readonly<Record<Treatment, string>> = {
  generate: "generate",
  control: "again",
  stream: "sync",
  streamAsync: "async",
};
