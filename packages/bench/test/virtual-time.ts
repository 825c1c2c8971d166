import { setImmediate as nextTurn } from "node:timers/promises";
import {
  CollectingSink,
  createGenerator,
  createTokenQueue,
  type GenerationRequest,
  type GenerationSummary,
  type StopReason,
  type TokenSink,
} from "@streamgauge/core";
import type { Clock } from "../src/plan/clock.js";
import type { ScenarioGenerator } from "../src/plan/generator-plan.js";
import { plainToken } from "../../core/test/plain-token.js";

/** A clock that jumps to the next moment for which somebody waits. */
export class VirtualTime implements Clock {
  readonly name = "virtual";
  #nowNanoseconds = 0;
  #waiting: { readonly at: number; readonly resume: () => void }[] = [];

  nowNanoseconds(): number {
    return this.#nowNanoseconds;
  }

  until(at: number): Promise<void> {
    return new Promise((resume) => {
      this.#waiting.push({ at, resume });
    });
  }

  /**
   * Lets time pass until the work is done.
   *
   * @param options `turns` of the event loop in which whatever can go on does; `isPatient` for work
   *   that also waits for files and programs, with nobody waiting for a moment
   */
  async run<T>(
    work: Promise<T>,
    {
      turns = 1,
      isPatient = false,
    }: { readonly turns?: number; readonly isPatient?: boolean } = {},
  ): Promise<T> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    work.then(end, end);
    for (;;) {
      // Whatever can go on without time passing does so first.
      for (let turn = 0; turn < turns; turn += 1) await nextTurn();
      if (isDone) return await work;
      this.#waiting.sort((first, second) => first.at - second.at);
      const next = this.#waiting.shift();
      if (next === undefined && isPatient) continue;
      if (next === undefined) throw new Error("Nobody waits, and the work is not done.");
      this.#nowNanoseconds = Math.max(this.#nowNanoseconds, next.at);
      next.resume();
    }
  }
}

/** One worker that serves one call after the other, in virtual time. */
export function createVirtualGenerator(
  time: VirtualTime,
  {
    tokenNanoseconds,
    stallNanoseconds = () => 0,
    fails = () => false,
  }: {
    readonly tokenNanoseconds: number;
    /** Before the first token of a call, while it has the worker; calls count from 0. */
    readonly stallNanoseconds?: (call: number) => number;
    readonly fails?: (call: number) => boolean;
  },
): ScenarioGenerator {
  let calls = 0;
  let last: Promise<unknown> = Promise.resolve();

  const serve = (
    request: GenerationRequest,
    sink: Pick<TokenSink, "push" | "stopReason">,
  ): Promise<GenerationSummary> => {
    const call = calls;
    calls += 1;
    const calledNanoseconds = time.nowNanoseconds();
    const work = async (): Promise<GenerationSummary> => {
      const queueMilliseconds = (time.nowNanoseconds() - calledNanoseconds) / 1e6;
      if (fails(call)) throw new Error("The engine is on fire.");
      await time.until(time.nowNanoseconds() + stallNanoseconds(call));
      let index = 0;
      for (; index < request.config.maxTokens && sink.stopReason === undefined; index += 1) {
        await time.until(time.nowNanoseconds() + tokenNanoseconds);
        sink.push(plainToken(index, { producedAtMilliseconds: time.nowNanoseconds() / 1e6 }));
      }
      return {
        finishReason: sink.stopReason ?? "length",
        promptTokens: 1,
        producedTokens: index,
        timings: { queueMilliseconds, prefillMilliseconds: 0, decodeMilliseconds: 0 },
      };
    };
    const summary = last.then(work);
    last = summary.catch(() => undefined);
    return summary;
  };

  return {
    ...createGenerator({
      collect(request) {
        let reason: StopReason | undefined;
        const sink = new CollectingSink(false, () => reason);
        const stop = (why: StopReason): void => {
          reason ??= why;
        };
        return { stop, finished: sink.collect(serve(request, sink)) };
      },
      stream: (request) => createTokenQueue((sink) => serve(request, sink), Infinity).source,
    }),
    describe: () => ({ engine: "virtual" }),
    close: () => Promise.resolve(),
  };
}
