import type { StreamToken } from "@streamgauge/core";

/** A token whose id is its index, without a text. `rest` says what else it has. */
export function plainToken(index: number, rest: Partial<StreamToken> = {}): StreamToken {
  return {
    index,
    id: index,
    text: "",
    endOfSequence: false,
    logprob: undefined,
    producedAtMilliseconds: undefined,
    ...rest,
  };
}
