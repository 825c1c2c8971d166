import type * as NodeLlamaCpp from "node-llama-cpp";
import { StreamgaugeError, messageOf } from "@streamgauge/core";
import type { Peer, TimedIds } from "./peer-engine.js";

/** The name that tables use. */
export const llamaName = "llama.cpp" as const;

/** How {@link openLlama} opens llama.cpp. */
export interface LlamaSettings {
  readonly threads: number;
  /** Ids and tokens that a sequence has to hold. */
  readonly contextTokens: number;
  /** Generations at once. Default: 1. */
  readonly sequences?: number;
}

/** llama.cpp on one model. */
export interface LlamaPeer extends Peer {
  /** As `generate`, all at once, in as many of its sequences; it steps them together. */
  generateAtOnce(prompts: readonly (readonly number[])[], tokens: number): Promise<TimedIds[]>;
}

type Sequence = NodeLlamaCpp.LlamaContextSequence;

/**
 * Loads a GGUF file with `node-llama-cpp`, which has to be installed beside the bench, on the
 * processor alone. It computes in a thread of its own; its other threads end with each step.
 *
 * @throws StreamgaugeError `ENGINE_FAILED` when it is not there or does not load the model
 */
export async function openLlama(
  file: string,
  { threads, contextTokens, sequences = 1 }: LlamaSettings,
): Promise<LlamaPeer> {
  const llama = await loadLlama();
  try {
    const model = await llama.loadModel({ modelPath: file });
    const context = await model.createContext({ threads, sequences, contextSize: contextTokens });
    const all = Array.from({ length: sequences }, () => context.getSequence());
    return peerOf(all as [Sequence, ...Sequence[]], () => llama.dispose());
  } catch (cause) {
    await llama.dispose();
    throw new StreamgaugeError(
      "ENGINE_FAILED",
      `node-llama-cpp does not load ${file}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function peerOf(
  sequences: readonly [Sequence, ...Sequence[]],
  close: () => Promise<void>,
): LlamaPeer {
  const [first] = sequences;
  let kept: { readonly prompt: readonly number[] } | undefined;

  async function generateIn(
    sequence: Sequence,
    prompt: readonly number[],
    tokens: number,
  ): Promise<TimedIds> {
    await sequence.clearHistory();
    return await take(sequence, prompt, tokens);
  }

  return {
    name: llamaName,
    makesOurIds: false,
    generate(prompt, tokens) {
      kept = undefined;
      return generateIn(first, prompt, tokens);
    },
    async continueFrom(prompt, tokens) {
      const start = prompt.length - 2;
      if (kept?.prompt === prompt) {
        await first.eraseContextTokenRanges([{ start, end: first.nextTokenIndex }]);
      } else {
        await first.clearHistory();
        await first.evaluateWithoutGeneratingNewTokens(asTokens(prompt.slice(0, start)));
        kept = { prompt };
      }
      return await take(first, prompt.slice(start), tokens);
    },
    generateAtOnce: (prompts, tokens) =>
      Promise.all(
        prompts.map((prompt, index) => generateIn(sequences[index] as Sequence, prompt, tokens)),
      ),
    close,
  };
}

/** Greedy, past the end of the text, stamped as the user's code gets each token. */
async function take(
  sequence: Sequence,
  prompt: readonly number[],
  tokens: number,
): Promise<TimedIds> {
  const ids: number[] = [];
  const atNanoseconds: number[] = [];
  const made = sequence.evaluate(asTokens(prompt), { temperature: 0, yieldEogToken: true });
  for await (const id of made) {
    atNanoseconds.push(performance.now() * 1e6);
    ids.push(id);
    if (ids.length === tokens) break;
  }
  return { ids, atNanoseconds };
}

function asTokens(ids: readonly number[]): NodeLlamaCpp.Token[] {
  return ids as NodeLlamaCpp.Token[];
}

async function versionsOf(llama: NodeLlamaCpp.Llama): Promise<string> {
  const { getModuleVersion } = await importLibrary();
  return (
    `node-llama-cpp ${await getModuleVersion()} (llama.cpp ${llama.llamaCppRelease.release}, prebuilt ` +
    `for the processor).`
  );
}

/** Whether llama.cpp can be measured: its versions, or why not. Sentences. */
export type LlamaThere = { readonly versions: string } | { readonly whyNot: string };

/** Loads llama.cpp once, for a moment. */
export function findLlama(): Promise<LlamaThere> {
  return (found ??= lookForLlama());
}

let found: Promise<LlamaThere> | undefined;

async function lookForLlama(): Promise<LlamaThere> {
  try {
    const llama = await loadLlama();
    try {
      return { versions: await versionsOf(llama) };
    } finally {
      await llama.dispose();
    }
  } catch (error) {
    return { whyNot: `${llamaName} is left out: ${messageOf(error)}` };
  }
}

/** The prebuilt binary: nothing is built or downloaded. */
async function loadLlama(): Promise<NodeLlamaCpp.Llama> {
  const { getLlama, LlamaLogLevel } = await importLibrary();
  try {
    return await getLlama({
      gpu: false,
      // As many threads as a context asks for.
      maxThreads: 0,
      build: "never",
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
    });
  } catch (cause) {
    throw missing(cause);
  }
}

async function importLibrary(): Promise<typeof NodeLlamaCpp> {
  try {
    return await import("node-llama-cpp");
  } catch (cause) {
    throw missing(cause);
  }
}

function missing(cause: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "ENGINE_FAILED",
    `node-llama-cpp, which the engine is compared with, does not load (${messageOf(cause)}). ` +
      `Install it beside the bench, with its optional dependencies: npm install node-llama-cpp.`,
    { cause },
  );
}
