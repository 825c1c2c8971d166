import { StreamgaugeError, messageOf } from "@streamgauge/core";

/** Starts that may fail one after the other: a folder that is gone does not come back by trying. */
const mostFailedStarts = 3;
/**
 * Workers that may be lost one after the other without a generation ended in
 * between. Each takes a generation along, so this cannot go on by itself; it ends
 * a runtime that loses every call.
 */
const mostLosses = 16;

/** Counts what became of workers, and says when to stop replacing them. */
export class ReplacementLimit {
  #failedStarts = 0;
  #losses = 0;

  /** A worker has loaded its model. */
  started(): void {
    this.#failedStarts = 0;
  }

  /** A worker has ended a generation, and lives. */
  worked(): void {
    this.#losses = 0;
  }

  /**
   * A worker was lost, or could not load.
   *
   * @param hadStarted whether it had loaded its model before
   * @returns why to give up, when it is time
   */
  lost(hadStarted: boolean, cause: unknown): StreamgaugeError | undefined {
    if (hadStarted) this.#losses += 1;
    else this.#failedStarts += 1;
    if (this.#failedStarts >= mostFailedStarts) {
      return givenUp(`${mostFailedStarts} replacements in a row failed to load the model`, cause);
    }
    if (this.#losses >= mostLosses) {
      return givenUp(`${mostLosses} workers in a row were lost, each with its generation`, cause);
    }
    return undefined;
  }
}

function givenUp(what: string, cause: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "WORKER_FAILED",
    `This runtime has given up replacing workers: ${what}. The last failure: ` +
      `${messageOf(cause)} Mend it, close this runtime, and create another.`,
    { cause },
  );
}
