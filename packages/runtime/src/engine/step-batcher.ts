/** Ids that one sequence wants to have run behind those before. */
export interface Advance<Member> {
  readonly member: Member;
  readonly ids: readonly number[];
}

interface Waiting<Member> extends Advance<Member> {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Most prompt ids that are run between two steps while sequences wait for theirs. */
export const mostPromptIdsBetweenSteps = 64;

/**
 * Makes one run of what several sequences want at the same time, so that they
 * share the reading of the weights. Sequences join and leave between two runs.
 *
 * A run is either a step, one id of each sequence that wants one, or a piece, more
 * ids of one sequence's prompt. Where both wait, pieces of no more than
 * {@link mostPromptIdsBetweenSteps} ids come before each step, or one piece, and
 * sequences take turns: a long prompt delays each token of the others a little, and
 * short prompts soon share steps.
 *
 * A run begins as soon as every sequence wants something; one that does not,
 * because its consumer is slow, is waited for until the next turn of the event loop.
 */
export class StepBatcher<Member> {
  readonly #run: (advances: readonly Advance<Member>[]) => Promise<void>;
  #waiting: Waiting<Member>[] = [];
  #sequences = 0;
  #isRunning = false;
  #isScheduled = false;
  #promptIdsSinceStep = 0;

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
    this.#begin();
  }

  /** Resolves when these ids have been run. One at a time for each sequence. */
  advance(member: Member, ids: readonly number[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ member, ids, resolve, reject });
      this.#begin();
    });
  }

  #begin(): void {
    if (this.#isRunning || this.#waiting.length === 0) return;
    if (this.#waiting.length >= this.#sequences) return void this.#runNext();
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      if (!this.#isRunning && this.#waiting.length > 0) void this.#runNext();
    });
  }

  async #runNext(): Promise<void> {
    const chosen = this.#choose();
    this.#waiting = this.#waiting.filter((waiting) => !chosen.includes(waiting));
    this.#isRunning = true;
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#run(chosen);
    } catch (error) {
      failure = { error };
    }
    this.#isRunning = false;
    for (const { resolve, reject } of chosen) {
      if (failure === undefined) resolve();
      else reject(failure.error);
    }
    this.#begin();
  }

  #choose(): Waiting<Member>[] {
    const piece = this.#waiting.find(({ ids }) => ids.length > 1);
    const steps = this.#waiting.filter(({ ids }) => ids.length === 1);
    if (piece !== undefined) {
      const promptIds = this.#promptIdsSinceStep + piece.ids.length;
      const isFirst = this.#promptIdsSinceStep === 0;
      if (steps.length === 0 || isFirst || promptIds <= mostPromptIdsBetweenSteps) {
        this.#promptIdsSinceStep = promptIds;
        return [piece];
      }
    }
    this.#promptIdsSinceStep = 0;
    return steps;
  }
}
