import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import type * as Rings from "@streamgauge/runtime/ring";
import type { RingConsumer } from "@streamgauge/runtime/ring";
import type { RingPlan } from "../plan/generator-plan.js";
import { needsRuntime } from "../plan/needs-runtime.js";
import { createDraw } from "../statistics/draw.js";
import type { Progress } from "../terminal/progress-display.js";
import { StressPauses } from "./stress-pauses.js";
import { SequenceCheck, StressTokens } from "./stress-tokens.js";
import type { StressOrder, StressProduced } from "./stress-worker.js";

/** Where a stress run is. */
export interface StressProgress extends Progress {
  /** undefined until it can be guessed. */
  readonly secondsLeft: number | undefined;
}

export interface StressOptions {
  /** Tokens in all, ≥ 1; a round moves at least one. Ignored with `minutes`. */
  readonly tokens: number;
  /** Draws the tokens, the pauses of both threads and the order of the rounds. */
  readonly seed: number;
  /** Repeats all rounds with other seeds until this time is over. */
  readonly minutes?: number | undefined;
  /** Ends the run after the tokens that are in the ring. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: StressProgress) => void;
}

/** One ring between two threads, and all that passed it; of several passes, their sums. */
export interface StressRound {
  readonly ring: Required<RingPlan>;
  readonly tokens: number;
  readonly seconds: number;
  /** How often the consumer found the ring empty, and waited. */
  readonly emptyWaits: number;
  /** How often the producer found it full, and waited. */
  readonly fullWaits: number;
  readonly canaries: number;
  readonly violations: number;
  /** The first violations in words. */
  readonly described: readonly string[];
}

export interface StressReport {
  readonly seed: number;
  readonly rounds: readonly StressRound[];
  readonly interrupted: boolean;
}

const capacities = [1, 2, 8, 64, 256, 4096];
const batches = [1, 16];
const strategies: readonly RingPlan[] = [
  ...(["waitAsync", "message", "block"] as const).flatMap((wait) =>
    [0, 4].map((maxDelayMilliseconds) => ({ wait, maxDelayMilliseconds })),
  ),
  { wait: "block", spinMicroseconds: 20 },
];
/** A small ring takes a wake-up for every few tokens: it gets fewer of them. */
const largestShare = 64;
const guardBytes = 4096;
const tokensPerTurn = 4096;
/** Tokens of one pass when the time decides how many there are. */
const tokensPerPass = 10_000_000;

/**
 * Moves tokens from a worker thread to this one through rings of every capacity,
 * batch and way of waiting, with random pauses on both sides, and checks that
 * nothing is lost, doubled, reordered or torn, and that no word around a ring is
 * touched.
 */
export async function stress(options: StressOptions): Promise<StressReport> {
  const rings = await needsRuntime(() => import("@streamgauge/runtime/ring"));
  const worker = new Worker(new URL("./stress-worker.js", import.meta.url));
  try {
    return await new Stress(rings, worker, options).run();
  } finally {
    await worker.terminate();
  }
}

class Stress {
  readonly #rings: typeof Rings;
  readonly #worker: Worker;
  readonly #options: StressOptions;
  readonly #tokensPerPass: number;
  readonly #startMilliseconds = performance.now();
  #tokensDone = 0;

  constructor(rings: typeof Rings, worker: Worker, options: StressOptions) {
    this.#rings = rings;
    this.#worker = worker;
    this.#options = options;
    this.#tokensPerPass = options.minutes === undefined ? options.tokens : tokensPerPass;
  }

  async run(): Promise<StressReport> {
    const { seed, minutes, signal } = this.#options;
    const rounds = new Map<string, StressRound>();
    for (let pass = 0; ; pass++) {
      for (const plan of planRounds(this.#rings, this.#tokensPerPass, seed + pass)) {
        if (signal?.aborted === true || (minutes !== undefined && this.#fractionDone() >= 1)) break;
        const name = describeRing(plan.ring);
        rounds.set(name, addRounds(rounds.get(name), await this.#round(plan, seed + pass)));
      }
      const isOver = minutes === undefined || this.#fractionDone() >= 1;
      const interrupted = signal?.aborted === true;
      if (isOver || interrupted) return { seed, interrupted, rounds: inOrder(rounds) };
    }
  }

  async #round({ ring, tokens }: RoundPlan, seed: number): Promise<StressRound> {
    const { signal } = this.#options;
    const { createRing, plantCanaries, ringBytes } = this.#rings;
    const buffer = new SharedArrayBuffer(ringBytes(ring.capacity) + guardBytes);
    const { consumer, memory, transfer } = createRing(ring, 0, buffer);
    const countCanaries = plantCanaries(memory);
    const startedAt = performance.now();
    const produced = this.#produce({ memory, tokens, seed, pauseSeed: seed + 1 }, transfer);
    // A producer that died cannot end its ring.
    produced.catch(() => consumer.declareLost());
    const stop = (): void => consumer.stop("aborted");
    signal?.addEventListener("abort", stop);
    const check = new SequenceCheck(new StressTokens(seed));
    const emptyWaits = await this.#consume(consumer, check, new StressPauses(seed + 2), ring);
    signal?.removeEventListener("abort", stop);
    const { pushed, fullWaits } = await produced;
    const { planted, dead } = countCanaries();
    if (dead > 0) check.violate(`${dead} of ${planted} canaries around the ring are dead`);
    if (consumer.ending !== "complete") check.violate(`the producer ended as ${consumer.ending}`);
    if (consumer.stopReason === undefined && (check.next !== tokens || pushed !== tokens)) {
      check.violate(`${check.next} of ${tokens} tokens came, ${pushed} were sent`);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const { described, violations, next } = check;
    const counts = { emptyWaits, fullWaits, canaries: planted, violations, described };
    return { ring, tokens: next, seconds, ...counts };
  }

  async #produce(
    order: StressOrder,
    transfer: Parameters<Worker["postMessage"]>[1],
  ): Promise<StressProduced> {
    const ended = new AbortController();
    try {
      const exit = once(this.#worker, "exit", ended).then(() => {
        throw new Error("The producing thread has ended.");
      });
      // `once` rejects when the thread throws.
      const answer = once(this.#worker, "message", ended) as Promise<[StressProduced]>;
      this.#worker.postMessage(order, transfer);
      const [produced] = await Promise.race([answer, exit]);
      return produced;
    } finally {
      ended.abort();
    }
  }

  async #consume(
    consumer: RingConsumer,
    check: SequenceCheck,
    pauses: StressPauses,
    ring: Required<RingPlan>,
  ): Promise<number> {
    const subject = describeRing(ring);
    let emptyWaits = 0;
    this.#report(subject);
    while (await consumer.wait()) {
      emptyWaits += 1;
      for (let token = consumer.poll(); token !== undefined; token = consumer.poll()) {
        check.take(token);
        this.#tokensDone += 1;
        const pause = pauses.after(token.index);
        if (pause !== undefined) await pause;
        // A producer that is always ahead would keep signals from being heard.
        if (this.#tokensDone % tokensPerTurn === 0) {
          await nextTurn();
          this.#report(subject);
        }
      }
    }
    return emptyWaits;
  }

  #report(subject: string): void {
    const { onProgress } = this.#options;
    if (onProgress === undefined) return;
    const fractionDone = this.#fractionDone();
    const seconds = this.#seconds();
    const secondsLeft =
      fractionDone > 0.01 ? (seconds / fractionDone) * (1 - fractionDone) : undefined;
    onProgress({ subject, fractionDone: Math.min(1, fractionDone), secondsLeft });
  }

  #fractionDone(): number {
    const { minutes, tokens } = this.#options;
    return minutes === undefined ? this.#tokensDone / tokens : this.#seconds() / 60 / minutes;
  }

  #seconds(): number {
    return (performance.now() - this.#startMilliseconds) / 1000;
  }
}

interface RoundPlan {
  readonly ring: Required<RingPlan>;
  readonly tokens: number;
}

/** Every ring once, in a drawn order, with its share of the tokens. */
function planRounds(
  { resolveRingOptions }: typeof Rings,
  tokens: number,
  seed: number,
): RoundPlan[] {
  const rings = capacities.flatMap((capacity) =>
    batches.flatMap((batch) =>
      strategies.map((strategy) =>
        resolveRingOptions({
          ...strategy,
          capacity,
          publishBatch: batch === 1 ? 1 : Math.min(batch, capacity),
        }),
      ),
    ),
  );
  const distinct = [...new Map(rings.map((ring) => [describeRing(ring), ring])).values()];
  const shareOf = ({ capacity }: Required<RingPlan>): number => Math.min(capacity, largestShare);
  const shares = distinct.reduce((sum, ring) => sum + shareOf(ring), 0);
  return createDraw(seed)
    .shuffle(distinct)
    .map((ring) => ({ ring, tokens: Math.ceil((tokens * shareOf(ring)) / shares) }));
}

/** A ring in words: how its consumer waits, its capacity and its batch. */
export function describeRing(ring: Required<RingPlan>): string {
  const { capacity, publishBatch } = ring;
  return `${describeWait(ring)}, capacity ${capacity}, batch ${publishBatch}`;
}

/** How its consumer waits, in words: `block after 20 µs`, `message, 4 ms`. */
export function describeWait(ring: Required<RingPlan>): string {
  const { wait, spinMicroseconds, maxDelayMilliseconds } = ring;
  if (spinMicroseconds > 0) return `${wait} after ${spinMicroseconds} µs`;
  return maxDelayMilliseconds > 0 ? `${wait}, ${maxDelayMilliseconds} ms` : wait;
}

function addRounds(sum: StressRound | undefined, round: StressRound): StressRound {
  if (sum === undefined) return round;
  return {
    ring: round.ring,
    tokens: sum.tokens + round.tokens,
    seconds: sum.seconds + round.seconds,
    emptyWaits: sum.emptyWaits + round.emptyWaits,
    fullWaits: sum.fullWaits + round.fullWaits,
    canaries: sum.canaries + round.canaries,
    violations: sum.violations + round.violations,
    described: [...sum.described, ...round.described],
  };
}

function inOrder(rounds: ReadonlyMap<string, StressRound>): StressRound[] {
  const orderOf = ({ ring }: StressRound): number =>
    strategies.findIndex(
      ({ wait, spinMicroseconds = 0, maxDelayMilliseconds = 0 }) =>
        wait === ring.wait &&
        spinMicroseconds === ring.spinMicroseconds &&
        maxDelayMilliseconds === ring.maxDelayMilliseconds,
    );
  return [...rounds.values()].toSorted(
    (a, b) =>
      orderOf(a) - orderOf(b) ||
      a.ring.capacity - b.ring.capacity ||
      a.ring.publishBatch - b.ring.publishBatch,
  );
}
