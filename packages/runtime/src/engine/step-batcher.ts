/** Ids that one sequence wants to have run behind those before. */
export interface Advance<Member> {
  readonly member: Member;
  readonly ids: readonly number[];
}

interface Waiting<Member> extends Advance<Member> {
  readonly joins: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Most ids of prompts in one run: more take no less time each, and much more memory. */
export const mostPromptIds = 256;

/**
 * Most ids of a prompt in one run while others wait; and of several prompts, with
 * padding: more take no less time each, and come later.
 */
export const mostSharedPromptIds = 64;

/** Largest part of a run of several prompts that may be padding. */
const mostPadding = 1 / 4;

/**
 * Makes one run of what several sequences want at the same time, so that they
 * share the reading of the weights. Sequences join and leave between two runs.
 *
 * A run is either a step, one id of each sequence that wants one, or pieces, more
 * ids of one sequence's prompt, or of several which are about as long and may join.
 * Where both wait, pieces come before each step: no more than
 * {@link mostSharedPromptIds} ids, or {@link mostPromptIds} if more pieces that may join
 * wait than sequences for a step when the first is chosen; or one piece. Sequences take turns. So a long prompt
 * delays each token of the others a little, and those that arrive together soon
 * share steps.
 *
 * A run begins at the next turn of the event loop, with all that wait by then. A
 * sequence that wants nothing, because its consumer is slow, is not waited for.
 */
export class StepBatcher<Member> {
  readonly #run: (advances: readonly Advance<Member>[]) => Promise<void>;
  #waiting: Waiting<Member>[] = [];
  #sequences = 0;
  #isBusy = false;
  #promptIdsSinceStep = 0;
  #mostBeforeStep = 0;

  constructor(run: (advances: readonly Advance<Member>[]) => Promise<void>) {
    this.#run = run;
  }

  /** Sequences that have begun and not ended. */
  get sequences(): number {
    return this.#sequences;
  }

  begin(): void {
    this.#sequences += 1;
  }

  end(): void {
    this.#sequences -= 1;
  }

  /**
   * Resolves when these ids have been run. One at a time for each sequence.
   *
   * @param joins whether several ids may be run together with others' that may
   */
  advance(member: Member, ids: readonly number[], joins: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ member, ids, joins, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isBusy || this.#waiting.length === 0) return;
    this.#isBusy = true;
    setImmediate(() => void this.#runNext());
  }

  async #runNext(): Promise<void> {
    const chosen = this.#choose();
    this.#waiting = this.#waiting.filter((waiting) => !chosen.includes(waiting));
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#run(chosen);
    } catch (error) {
      failure = { error };
    }
    this.#isBusy = false;
    for (const { resolve, reject } of chosen) {
      if (failure === undefined) resolve();
      else reject(failure.error);
    }
    this.#schedule();
  }

  #choose(): readonly Waiting<Member>[] {
    const pieces = this.#waiting.filter(({ ids }) => ids.length > 1);
    const steps = this.#waiting.filter(({ ids }) => ids.length === 1);
    if (steps.length === 0) this.#promptIdsSinceStep = 0;
    const isFirst = this.#promptIdsSinceStep === 0;
    if (isFirst) {
      const joining = pieces.filter(({ joins }) => joins).length;
      this.#mostBeforeStep = joining > steps.length ? mostPromptIds : mostSharedPromptIds;
    }
    const room = this.#mostBeforeStep - this.#promptIdsSinceStep;
    const { joined, ids } = joinPieces(pieces, Math.min(room, mostSharedPromptIds));
    if (joined.length === 0 || (ids > room && !isFirst)) {
      this.#promptIdsSinceStep = 0;
      return steps;
    }
    this.#promptIdsSinceStep += ids;
    return joined;
  }
}

/**
 * The first piece, and those that can be run with it, beginning with those about as
 * long; and the run's ids with the padding.
 */
function joinPieces<Member>(
  pieces: readonly Waiting<Member>[],
  most: number,
): { readonly joined: readonly Waiting<Member>[]; readonly ids: number } {
  const [first, ...others] = pieces;
  if (first === undefined) return { joined: [], ids: 0 };
  const joined = [first];
  let longest = first.ids.length;
  let total = longest;
  const away = ({ ids }: Waiting<Member>): number => Math.abs(ids.length - first.ids.length);
  for (const piece of others.toSorted((one, other) => away(one) - away(other))) {
    if (!first.joins || !piece.joins) continue;
    const length = Math.max(longest, piece.ids.length);
    const ids = length * (joined.length + 1);
    const own = total + piece.ids.length;
    if (ids > most || own < ids * (1 - mostPadding)) continue;
    joined.push(piece);
    longest = length;
    total = own;
  }
  return { joined, ids: longest * joined.length };
}
