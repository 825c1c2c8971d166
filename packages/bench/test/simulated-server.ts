// A server with a known capacity, in virtual time.
import {
  createGenerator,
  createTokenQueue,
  CollectingSink,
  type GenerationRequest,
  type GenerationSummary,
  type TokenSink,
} from "@streamgauge/core";
import type { ScenarioGenerator } from "../src/plan/generator-plan.js";
import { plainToken } from "../../core/test/plain-token.js";
import type { VirtualTime } from "./virtual-time.js";

/** Requests that a simulated server works on at once, and how long it takes for each token. */
export interface SimulatedServer {
  readonly places: number;
  readonly tokenSeconds: number;
}

/** Serves as many requests at once as it has places, and the others in the order of their calls. */
export function createSimulatedServer(
  time: VirtualTime,
  { places, tokenSeconds }: SimulatedServer,
): ScenarioGenerator {
  const queue: (() => void)[] = [];
  let busy = 0;

  const serve = async (
    { config }: GenerationRequest,
    sink: Pick<TokenSink, "push" | "stopReason">,
  ): Promise<GenerationSummary> => {
    if (busy >= places) {
      await new Promise<void>((resolve) => {
        queue.push(resolve);
      });
    }
    busy += 1;
    let index = 0;
    for (; index < config.maxTokens && sink.stopReason === undefined; index += 1) {
      await time.until(time.nowNanoseconds() + tokenSeconds * 1e9);
      if (sink.stopReason !== undefined) break;
      sink.push(plainToken(index, { text: "a" }));
    }
    busy -= 1;
    queue.shift()?.();
    return {
      finishReason: sink.stopReason ?? "length",
      promptTokens: 3,
      timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
    };
  };

  return {
    ...createGenerator({
      collect: (request) => {
        const sink = new CollectingSink(false, () => undefined);
        return { stop: () => undefined, finished: sink.collect(serve(request, sink)) };
      },
      stream: (request) => createTokenQueue((sink) => serve(request, sink), Infinity).source,
    }),
    describe: () => ({ engine: "simulated" }),
    close: () => Promise.resolve(),
  };
}

/** Requests per second that it can serve, each of so many tokens. */
export function capacityOf({ places, tokenSeconds }: SimulatedServer, tokens: number): number {
  return places / (tokens * tokenSeconds);
}
