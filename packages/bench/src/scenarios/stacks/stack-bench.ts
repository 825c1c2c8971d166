import { setImmediate as nextTurn } from "node:timers/promises";
import { messageOf } from "@streamgauge/core";
import { workOf } from "../../measure/measurement-work.js";
import { findInstalled } from "../../plan/installed-package.js";
import type { ScenarioGenerator } from "../../plan/generator-plan.js";
import type { MeasurementContext } from "../../plan/stage.js";
import type { LeftOutStack, StackLibrary } from "../../record/index.js";
import { takeTokens } from "../take-tokens.js";
import { openChatServer, type ChatServer, type OpenChatServer } from "./chat-server.js";
import { loadInstalled, type LoadLibrary } from "./libraries.js";
import type { RunStack, Stack } from "./stack.js";
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
}

/** What a bench is made with; each has a default. */
export interface StackInstruments {
  readonly load?: LoadLibrary;
  readonly openServer?: OpenChatServer;
  /** CPU time so far. Default: user + system time of the process. */
  readonly cpuMicroseconds?: () => number;
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
      const what = library === null || !isMissing(error) ? "" : `${library} is not installed: `;
      return { stack: stack.name, reason: what + firstLineOf(messageOf(error)) };
    }
  }

  /** @throws StreamgaugeError `OUTPUT_MISMATCH`, and what the stack throws */
  async measure({ stack, run }: OpenStack, tokens: number): Promise<StackRun> {
    const { clock } = this.#context;
    const { cpuMicroseconds } = this.#instruments;
    const { prompt, config } = workOf(this.#context, tokens);
    const arrivals = this.#arrivals;
    arrivals.reset(tokens);
    // What the run before has left in the event loop is not this run's cost.
    await nextTurn();
    const cpuBefore = cpuMicroseconds();
    const startNanoseconds = clock.nowNanoseconds();
    await run(
      {
        tokens,
        stream: () => this.#generator.generateStreamAsync(prompt, config),
        textOf: ({ index, text, producedAtMilliseconds }) => {
          arrivals.markMade(index, (producedAtMilliseconds ?? Number.NaN) * 1e6);
          return text;
        },
      },
      arrivals.take,
    );
    const durationNanoseconds = Math.round(clock.nowNanoseconds() - startNanoseconds);
    const spentMicroseconds = cpuMicroseconds() - cpuBefore;
    arrivals.require(stack.name);
    if (stack.socket) await this.#markMadeByServer();
    return {
      cpuMicroseconds: spentMicroseconds,
      durationNanoseconds,
      tokensPerPiece: arrivals.tokensPerPiece,
      latenciesNanoseconds: arrivals.latenciesNanoseconds(),
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

function firstLineOf(message: string): string {
  return message.split("\n")[0] ?? "";
}

function processCpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
