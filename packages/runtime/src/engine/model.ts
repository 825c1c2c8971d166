import type { ChatMessage, ResolvedConfig, TokenLogprob } from "@streamgauge/core";

/**
 * What the decode loop needs of a model: an onnxruntime session, or a schedule
 * that only keeps time. All of it belongs to the thread that opened it.
 */
export interface Model {
  /** Most tokens of prompt and completion together. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly eosTokenIds: ReadonlySet<number>;
  /**
   * Token ids of a prompt text; undefined for a model without a tokenizer.
   *
   * @param isPlain whether spellings of special tokens in it are plain text; default false
   */
  readonly encode: ((text: string, isPlain?: boolean) => readonly number[]) | undefined;
  /**
   * Token ids of a conversation up to where the answer begins; undefined for a
   * model without a chat template.
   *
   * @param isPlain whether spellings of special tokens in the messages are plain text
   * @throws StreamgaugeError `INVALID_PROMPT` for messages that the template refuses,
   *   `MODEL_UNSUPPORTED` for a template that fails
   */
  readonly encodeChat:
    | ((messages: readonly ChatMessage[], isPlain: boolean) => Promise<readonly number[]>)
    | undefined;
  /** Most sequences at once; a step runs all that are there. */
  readonly maxBatch: number;
  createDetokenizer(): TextAssembler;
  /**
   * Begins a sequence, beside fewer than {@link maxBatch} others.
   *
   * @param promptIds what is to be run first, but for what the sequence has already
   * @throws StreamgaugeError `INVALID_CONFIG` for an option this model cannot honour
   */
  begin(config: ResolvedConfig, promptIds: readonly number[]): Sequence;
  /** Drops what it keeps of sequences that have ended; none may be running. */
  forget(): void;
  /** Frees native memory. No sequence may be running. */
  close(): Promise<void>;
}

/** Turns ids into text as they come. */
export interface TextAssembler {
  /** The text that became final with this id; empty while a character is incomplete. */
  push(id: number): string;
  /** What is left at the end. */
  flush(): string;
}

/** One running sequence of a model. */
export interface Sequence {
  /**
   * How many ids of the prompt it begins with as if they were run, because the
   * sequence before had them too: fewer than there are.
   */
  readonly cachedTokens: number;
  /**
   * Most ids to run in one piece now, ≥ 2. A run cannot be interrupted, so this
   * bounds how long a generation goes on after it was told to stop, and how long it
   * keeps others waiting. Infinite where a prompt has to be run in one piece.
   */
  readonly mostIdsAtOnce: number;
  /**
   * Whether all ids have to be run again before `more` can be: the sequence has then
   * forgotten those that it ran.
   */
  startsAgain(more: number): boolean;
  /** Runs these ids behind those run before. Takes one turn of the event loop or more. */
  advance(ids: readonly number[]): Promise<void>;
  /**
   * Chooses the id that follows what was run. Once for each id, as the choice is
   * remembered; and as soon as {@link advance} has resolved, before anything else is run.
   */
  choose(): Choice;
  /** Ends it, whatever became of it. Once; nothing else may be called afterwards. */
  end(): void;
}

export interface Choice {
  readonly id: number;
  /** Natural logarithm of the id's probability; undefined unless asked for. */
  readonly logprob: number | undefined;
  /** The likeliest ids with theirs; undefined unless asked for. */
  readonly topLogprobs: readonly TokenLogprob[] | undefined;
}
