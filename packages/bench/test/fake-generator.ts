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
import type { Gate, ScenarioGenerator } from "../src/plan/generator-plan.js";

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
  /** Called before each token; may throw. */
  readonly onToken?: (mode: Mode, index: number) => void;
  /** Whether its generations can be held. Default false. */
  readonly gated?: boolean;
}

/** Holds one generation of a fake generator. */
class FakeGate implements Gate {
  #allowed = Infinity;
  #made = 0;
  #goOn: () => void = () => undefined;
  #isHeld: () => void = () => undefined;

  allow(tokens: number): void {
    this.#allowed = this.#made + tokens;
    this.#goOn();
  }

  open(): void {
    this.#allowed = Infinity;
    this.#goOn();
  }

  async held(): Promise<void> {
    if (this.#made >= this.#allowed) return;
    await new Promise<void>((resolve) => {
      this.#isHeld = resolve;
    });
  }

  /** The generation's end, after each token. */
  async pass(): Promise<void> {
    this.#made += 1;
    while (this.#made >= this.#allowed) {
      await new Promise<void>((resolve) => {
        this.#goOn = resolve;
        this.#isHeld();
      });
    }
  }
}

/** Core's generator over a backend in which time is what the manual clock says. */
export function createFakeGenerator(options: FakeOptions): ScenarioGenerator {
  const { clock, tokenNanoseconds, idAt = (_mode, index) => 100 + index } = options;
  const { saysWhenMade = true, textAt = () => "" } = options;
  let calls = 0;
  let closed = 0;
  const gates = new Map<string, FakeGate>();

  const produce = (mode: Mode, call: number) => (request: GenerationRequest) => {
    const tokens: StreamToken[] = [];
    const step = (index: number): StreamToken => {
      options.onToken?.(mode, index);
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
    const gate = gates.get(request.config.clientId ?? "");
    return { step, summary, tokens, gate, count: request.config.maxTokens };
  };

  const modeOf = (mode: Mode): ReturnType<typeof createGenerator> => {
    const call = (calls += 1);
    options.onCall?.(mode, call);
    const start = produce(mode, call);
    return createGenerator({
      collect(request) {
        const { step, summary, tokens, gate, count } = start(request);
        const finish = async (): Promise<GenerationResult> => {
          for (let index = 0; index < count; index += 1) {
            step(index);
            if (gate !== undefined) await gate.pass();
          }
          return {
            ids: tokens.map(({ id }) => id),
            text: "",
            logprobs: undefined,
            finishReason: summary.finishReason,
            usage: { promptTokens: 8, completionTokens: count },
            timings: summary.timings,
          };
        };
        return { stop: () => undefined, finished: finish() };
      },
      stream(request) {
        const { step, summary, gate, count } = start(request);
        return createTokenQueue(async (sink: TokenSink) => {
          for (let index = 0; index < count; index += 1) {
            const token = step(index);
            while (!sink.push(token)) await sink.writable();
            // The token reaches user code before the clock moves on.
            await nextTurn();
            await gate?.pass();
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
    ...(options.gated === true && {
      gateOf(clientId: string) {
        const gate = gates.get(clientId) ?? new FakeGate();
        gates.set(clientId, gate);
        return gate;
      },
    }),
    describe: () => ({ fake: true, closed }),
    close: () => {
      closed += 1;
      return Promise.resolve();
    },
  };
}
