import { setImmediate as nextTurn } from "node:timers/promises";
import { messageOf } from "@streamgauge/core";
import { workOf } from "../../measure/measurement-work.js";
import { findInstalled } from "../../plan/installed-package.js";
import type { ScenarioGenerator } from "../../plan/generator-plan.js";
import type { MeasurementContext } from "../../plan/stage.js";
import type { LeftOutStack, StackLibrary } from "../../record/index.js";
import { takeTokens } from "../take-tokens.js";
import { within } from "../within.js";
import { openChatServer, type ChatServer, type OpenChatServer } from "./chat-server.js";
import { loadInstalled, type LoadLibrary } from "./libraries.js";
import type { SampleBytes } from "./sample-bytes.js";
import type { RunStack, Stack, TokenSource } from "./stack.js";
import { TextArrivals } from "./text-arrivals.js";

/** A stack that runs here. */
export interface OpenStack {
  readonly stack: Stack;
  readonly library: StackLibrary | null;
  readonly run: RunStack;
}

/** One run of a stack. */
export interface StackRun {
  readonly cpuMicroseconds: number;
  readonly durationNanoseconds: number;
  readonly tokensPerPiece: number;
  readonly latenciesNanoseconds: readonly number[];
  /** Where they were sampled. */
  readonly allocatedBytes?: number;
}

/** What a bench is made with; each has a default. */
export interface StackInstruments {
  readonly load?: LoadLibrary;
  readonly openServer?: OpenChatServer;
  /** CPU time so far. Default: user + system time of the process. */
  readonly cpuMicroseconds?: () => number;
  /** A run that takes longer has lost its end. Default: two minutes. */
  readonly patienceMilliseconds?: number;
}

/** Tokens of the run that shows whether a stack runs at all. */
const trialTokens = 20;

/** Runs stacks over the known tokens of one generator. */
export class StackBench {
  readonly #generator: ScenarioGenerator;
  readonly #context: MeasurementContext;
  readonly #instruments: Required<StackInstruments>;
  readonly #texts: readonly string[];
  readonly #vocabulary: readonly string[];
  readonly #arrivals: TextArrivals;
  #server: Promise<ChatServer> | undefined;

  private constructor(
    generator: ScenarioGenerator,
    context: MeasurementContext,
    instruments: StackInstruments,
    known: { readonly texts: readonly string[]; readonly vocabulary: readonly string[] },
  ) {
    this.#generator = generator;
    this.#context = context;
    this.#instruments = {
      load: loadInstalled,
      openServer: openChatServer,
      cpuMicroseconds: processCpuMicroseconds,
      patienceMilliseconds: 120_000,
      ...instruments,
    };
    this.#texts = known.texts;
    this.#vocabulary = known.vocabulary;
    this.#arrivals = new TextArrivals(context.clock, known.texts);
  }

  /** @param mostTokens of a run; they are made once, to know them */
  static async open(
    generator: ScenarioGenerator,
    context: MeasurementContext,
    instruments: StackInstruments,
    mostTokens: number,
  ): Promise<StackBench> {
    const texts: string[] = [];
    const vocabulary: string[] = [];
    await takeTokens(generator, "stream", workOf(context, mostTokens), ({ id, text }) => {
      texts.push(text);
      vocabulary[id] = text;
    });
    const known = { texts, vocabulary: Array.from(vocabulary, (text) => text ?? "") };
    return new StackBench(generator, context, instruments, known);
  }

  /**
   * Loads a stack and tries it.
   *
   * @returns why it is left out, where it does not load or does not deliver all tokens
   */
  async try(stack: Stack): Promise<OpenStack | LeftOutStack> {
    const { library } = stack;
    try {
      const run = await stack.open({
        load: this.#instruments.load,
        server: () => this.#openServer(),
        vocabulary: this.#vocabulary,
      });
      const opened = { stack, run, library: library === null ? null : await describe(library) };
      await this.measure(opened, Math.min(trialTokens, this.#texts.length));
      return opened;
    } catch (error) {
      // The message of a missing package has paths of this machine in it.
      const reason =
        library !== null && isMissing(error)
          ? `${library}, or a package that it needs, is not installed`
          : firstLineOf(messageOf(error));
      return { stack: stack.name, reason };
    }
  }

  /**
   * @param sampleBytes is on while the stack runs
   * @throws StreamgaugeError `OUTPUT_MISMATCH`, and what the stack throws
   */
  async measure(
    { stack, run }: OpenStack,
    tokens: number,
    sampleBytes?: SampleBytes,
  ): Promise<StackRun> {
    const arrivals = this.#arrivals;
    arrivals.reset(tokens);
    const stop = await sampleBytes?.();
    let allocatedBytes: number | undefined;
    let cost: Pick<StackRun, "cpuMicroseconds" | "durationNanoseconds">;
    try {
      cost = await this.#run(`${stack.name}: ${tokens} tokens`, run, tokens);
    } finally {
      allocatedBytes = await stop?.();
    }
    arrivals.require(stack.name);
    if (stack.socket) await this.#markMadeByServer();
    return {
      ...cost,
      tokensPerPiece: arrivals.tokensPerPiece,
      latenciesNanoseconds: arrivals.latenciesNanoseconds(),
      ...(allocatedBytes !== undefined && { allocatedBytes }),
    };
  }

  async #run(what: string, run: RunStack, tokens: number) {
    const { clock } = this.#context;
    const { cpuMicroseconds, patienceMilliseconds } = this.#instruments;
    const { prompt, config } = workOf(this.#context, tokens);
    const arrivals = this.#arrivals;
    // What the run before has left in the event loop is not this run's cost.
    await nextTurn();
    const cpuBefore = cpuMicroseconds();
    const startNanoseconds = clock.nowNanoseconds();
    const source: TokenSource = {
      tokens,
      stream: () => this.#generator.generateStreamAsync(prompt, config),
      textOf: ({ index, text, producedAtMilliseconds }) => {
        arrivals.markMade(index, (producedAtMilliseconds ?? Number.NaN) * 1e6);
        return text;
      },
    };
    await within(what, patienceMilliseconds, run(source, arrivals.take));
    return {
      durationNanoseconds: Math.round(clock.nowNanoseconds() - startNanoseconds),
      cpuMicroseconds: cpuMicroseconds() - cpuBefore,
    };
  }

  async close(): Promise<void> {
    const server = await this.#server?.catch(() => undefined);
    await server?.close();
  }

  #openServer(): Promise<ChatServer> {
    const { stepMicroseconds = 0 } = this.#context.plan;
    this.#server ??= this.#instruments.openServer(this.#texts, stepMicroseconds);
    return this.#server;
  }

  /** `process.hrtime()` is one clock for all processes of a machine. */
  async #markMadeByServer(): Promise<void> {
    const made = (await (await this.#openServer()).madeAtNanoseconds()).entries();
    const offset = this.#context.clock.nowNanoseconds() - Number(process.hrtime.bigint());
    for (const [index, nanoseconds] of made) this.#arrivals.markMade(index, nanoseconds + offset);
  }
}

async function describe(name: string): Promise<StackLibrary> {
  const installed = await findInstalled(name);
  return {
    name,
    version: installed?.version ?? "unknown",
    nodeRange: installed?.nodeRange ?? null,
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND";
}

/** Without its full stop: it becomes a part of a sentence. */
function firstLineOf(message: string): string {
  return (message.split("\n")[0] ?? "").replace(/\.$/, "");
}

function processCpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
