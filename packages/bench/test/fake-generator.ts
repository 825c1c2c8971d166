import { setImmediate as nextTurn } from "node:timers/promises";
import {
  createGenerator,
  createTokenQueue,
  type GenerationRequest,
  type GenerationResult,
  type GenerationSummary,
  type StreamToken,
  type TokenSink,
} from "@streamgauge/core";
import type { Clock } from "../src/plan/clock.js";
import type { Treatment } from "../src/record/index.js";
import type { ScenarioGenerator } from "../src/plan/generator-plan.js";

/** A clock that moves only when it is told to. */
export class ManualClock implements Clock {
  readonly name = "manual";
  #nanoseconds = 1000;
  nowNanoseconds(): number {
    return this.#nanoseconds;
  }
  advance(nanoseconds: number): void {
    this.#nanoseconds += nanoseconds;
  }
}

export type Mode = Exclude<Treatment, "control">;

export interface FakeOptions {
  readonly clock: ManualClock;
  /** Nanoseconds a token takes in a mode; `call` counts the generations of all modes. */
  readonly tokenNanoseconds: (mode: Mode, call: number) => number;
  readonly idAt?: (mode: Mode, index: number) => number;
  /** Default: none. */
  readonly textAt?: (index: number) => string;
  /** Whether tokens say when they were made. Default true. */
  readonly saysWhenMade?: boolean;
  readonly onCall?: (mode: Mode, call: number) => void;
}

/** Core's generator over a backend in which time is what the manual clock says. */
export function createFakeGenerator(options: FakeOptions): ScenarioGenerator {
  const { clock, tokenNanoseconds, idAt = (_mode, index) => 100 + index } = options;
  const { saysWhenMade = true, textAt = () => "" } = options;
  let calls = 0;
  let closed = 0;

  const produce = (mode: Mode, call: number) => (request: GenerationRequest) => {
    const tokens: StreamToken[] = [];
    const step = (index: number): StreamToken => {
      clock.advance(tokenNanoseconds(mode, call));
      const token = {
        index,
        id: idAt(mode, index),
        text: textAt(index),
        endOfSequence: false,
        logprob: undefined,
        producedAtMilliseconds: saysWhenMade ? clock.nowNanoseconds() / 1e6 : undefined,
      };
      tokens.push(token);
      return token;
    };
    const summary: GenerationSummary = {
      finishReason: "length",
      promptTokens: 8,
      timings: { queueMilliseconds: 0, prefillMilliseconds: 0, decodeMilliseconds: 0 },
    };
    return { step, summary, tokens, count: request.config.maxTokens };
  };

  const modeOf = (mode: Mode): ReturnType<typeof createGenerator> => {
    const call = (calls += 1);
    options.onCall?.(mode, call);
    const start = produce(mode, call);
    return createGenerator({
      collect(request) {
        const { step, summary, tokens, count } = start(request);
        for (let index = 0; index < count; index += 1) step(index);
        const result: GenerationResult = {
          ids: tokens.map(({ id }) => id),
          text: "",
          logprobs: undefined,
          finishReason: summary.finishReason,
          usage: { promptTokens: 8, completionTokens: count },
          timings: summary.timings,
        };
        return { stop: () => undefined, finished: Promise.resolve(result) };
      },
      stream(request) {
        const { step, summary, count } = start(request);
        return createTokenQueue(async (sink: TokenSink) => {
          for (let index = 0; index < count; index += 1) {
            const token = step(index);
            while (!sink.push(token)) await sink.writable();
            // The token reaches user code before the clock moves on.
            await nextTurn();
          }
          return summary;
        }, 1).source;
      },
    });
  };

  return {
    generate: (...call) => modeOf("generate").generate(...call),
    generateStream: (...call) => modeOf("stream").generateStream(...call),
    generateStreamAsync: (...call) => modeOf("streamAsync").generateStreamAsync(...call),
    describe: () => ({ fake: true, closed }),
    close: () => {
      closed += 1;
      return Promise.resolve();
    },
  };
}
