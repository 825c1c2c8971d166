/** A sleeper that wants to be ended after a while, on the thread that it belongs to. */
export interface Dozer {
  /** Whether there is something to read. */
  hasWork(): boolean;
  /** The time is over. */
  endDoze(wakeUp: number): void;
}

/** How much of a period has to be over before a doze that found nothing ends. */
const fullShare = 0.75;

/**
 * The clock of all consumers on a thread that doze equally long: one timer, which
 * ends all their dozes at once. So sixteen streams cost the wake-ups of one.
 *
 * It ticks only while somebody dozes. Who joins between two ticks is looked after
 * at the next, so nobody is told of a token later than one period (and the slack
 * of Node's timers, a millisecond). If there was nothing to tell yet because the
 * doze began late, it goes on to the tick after that: only a whole period without
 * a token says that tokens have become slow.
 */
export class Ticker {
  readonly #periodMilliseconds: number;
  /** When each began. */
  readonly #dozers = new Map<Dozer, number>();
  #timer: NodeJS.Timeout | undefined;
  #isTicking = false;

  constructor(periodMilliseconds: number) {
    this.#periodMilliseconds = periodMilliseconds;
  }

  /** It will be told to end, unless it leaves. The event loop is not kept alive for it. */
  join(dozer: Dozer): void {
    this.#dozers.set(dozer, performance.now());
    if (!this.#isTicking) this.#arm();
  }

  leave(dozer: Dozer): void {
    this.#dozers.delete(dozer);
  }

  #arm(): void {
    this.#isTicking = true;
    // Refreshing spares a timer for each period.
    if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#tick(), this.#periodMilliseconds).unref();
    } else this.#timer.refresh();
  }

  #tick(): void {
    this.#isTicking = false;
    const wakeUp = wakeUpOfTurn();
    const fullSince = performance.now() - fullShare * this.#periodMilliseconds;
    for (const [dozer, since] of this.#dozers) {
      if (since > fullSince && !dozer.hasWork()) continue;
      this.#dozers.delete(dozer);
      dozer.endDoze(wakeUp);
    }
    if (this.#dozers.size > 0) this.#arm();
  }
}

const tickers = new Map<number, Ticker>();

/** This thread's ticker of a period, in whole milliseconds from 1. */
export function tickerOf(periodMilliseconds: number): Ticker {
  let ticker = tickers.get(periodMilliseconds);
  if (ticker === undefined) {
    ticker = new Ticker(periodMilliseconds);
    tickers.set(periodMilliseconds, ticker);
  }
  return ticker;
}

/** What Node before 20.18 and 22.8 does not have. */
type Timing = { readonly uvMetricsInfo?: { readonly loopCount: number } };

let blockedWakeUps = 0;

/**
 * A number for the waking that this turn of the event loop began with: sleepers
 * that were ended in one turn have one number. Where Node does not count turns, each
 * call gives a new number.
 */
export function wakeUpOfTurn(): number {
  const { uvMetricsInfo }: Timing = performance.nodeTiming;
  return uvMetricsInfo?.loopCount ?? blockedWakeUp();
}

/** A number for the waking of a thread that slept within a turn; no other has it. */
export function blockedWakeUp(): number {
  blockedWakeUps -= 1;
  return blockedWakeUps;
}
