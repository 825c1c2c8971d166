import { StreamgaugeError, isStreamgaugeError, messageOf } from "@streamgauge/core";
import { Tensor } from "onnxruntime-node";
import { widenFloats } from "./float-tensor.js";
import type { GraphPlan } from "./graph-plan.js";
import type { GraphPorts } from "./graph-ports.js";
import { KeptCache, type Seat } from "./kept-cache.js";
import type { Sequence } from "./model.js";
import type { Sampler } from "./sampling/sampler.js";
import { StepBatcher, mostPromptIds, mostSharedPromptIds, type Advance } from "./step-batcher.js";
import type { RunLogits, WayToRun } from "./way-to-run.js";

/** What a run needs of a sequence, and what it changes there. */
interface RunningSequence {
  readonly seat: Seat;
  /** The logits of the last position that was run, valid until the next turn of any sequence. */
  logits: Float32Array;
  /** The largest of the logits, where the graph computes it. */
  largestLogit: number | undefined;
  /** The turn in which the logits were computed. */
  turn: number;
}

/** Runs the ids of several sequences through one graph, together where the graph permits it. */
export class BatchDecoder {
  readonly #way: WayToRun;
  readonly #ports: GraphPorts;
  readonly #plan: GraphPlan;
  readonly #kept: KeptCache;
  readonly #batcher: StepBatcher<RunningSequence>;
  /** Steps, or pieces of prompts, that have been run at one time. */
  #turns = 0;
  /** To take attention masks from; as long as the longest so far. */
  #ones = new BigInt64Array(0);

  constructor(way: WayToRun, ports: GraphPorts, plan: GraphPlan) {
    this.#way = way;
    this.#ports = ports;
    this.#plan = plan;
    this.#kept = new KeptCache(way.cache, plan.prefixReuse.value);
    this.#batcher = new StepBatcher((advances) => this.#runAll(advances));
  }

  /** @param expectedRows that its cache is expected to have in the end */
  begin(promptIds: readonly number[], expectedRows: number, sample: Sampler): Sequence {
    const { border } = this.#plan;
    const isLong = border !== undefined && promptIds.length > border.ids;
    const seat = this.#kept.begin(promptIds, expectedRows, isLong);
    const sequence: RunningSequence = {
      seat,
      logits: new Float32Array(0),
      largestLogit: undefined,
      turn: 0,
    };
    this.#batcher.begin();
    const mostIdsAtOnce = (): number => this.#mostIdsAtOnce(seat);
    return {
      cachedTokens: seat.cachedTokens,
      get mostIdsAtOnce() {
        return mostIdsAtOnce();
      },
      startsAgain: (more) => this.#startsAgain(seat, more),
      advance: (ids) => this.#batcher.advance(sequence, ids, this.#joins(seat)),
      choose: () => {
        if (sequence.turn === this.#turns) return sample(sequence.logits, sequence.largestLogit);
        throw new RangeError("The sequence's logits are gone: others have been run since.");
      },
      end: () => {
        this.#kept.end(seat);
        this.#batcher.end();
      },
    };
  }

  /** Forgets what is kept for sequences to come. */
  forget(): void {
    this.#kept.forget();
  }

  #mostIdsAtOnce(seat: Seat): number {
    if (!this.#plan.pieces.value || this.#mustCrossBorder(seat)) return Infinity;
    return this.#batcher.sequences > 1 ? mostSharedPromptIds : mostPromptIds;
  }

  /** A long context's first run is seen as one only where it is longer than the border by itself. */
  #mustCrossBorder({ isLong, place }: Seat): boolean {
    const { border } = this.#plan;
    if (border === undefined || !isLong || this.#widensMasks) return false;
    return this.#way.cache.lengthOf(place) <= border.ids;
  }

  /** Whether a mask wider than what is run tells the graph that a context is long. */
  get #widensMasks(): boolean {
    const { border, cache } = this.#plan;
    return border?.by === "mask" && cache.value === "in-place";
  }

  #startsAgain(seat: Seat, more: number): boolean {
    const { border } = this.#plan;
    if (border === undefined || seat.isLong) return false;
    if (this.#way.cache.lengthOf(seat.place) + more <= border.ids) return false;
    this.#kept.restartLong(seat);
    return true;
  }

  /** GroupQueryAttention takes several ids each of several sequences only where they begin. */
  #joins({ place, isLong }: Seat): boolean {
    return this.#way.joinsPrompts && !isLong && this.#way.cache.lengthOf(place) === 0;
  }

  /**
   * Steps together; pieces of prompts together where no other sequence's place is in between, as
   * all are that have a border, on whose two sides no run can be.
   */
  async #runAll(advances: readonly Advance<RunningSequence>[]): Promise<void> {
    this.#turns += 1;
    this.#kept.gather(advances.map(({ member }) => member.seat));
    const isStep = advances[0]?.ids.length === 1;
    if (isStep && this.#plan.border === undefined) return await this.#runTogether(advances);
    const seatOf = ({ member }: Advance<RunningSequence>): Seat => member.seat;
    const neighbours: Advance<RunningSequence>[][] = [];
    for (const advance of advances.toSorted(
      (one, other) => seatOf(one).place - seatOf(other).place,
    )) {
      const before = neighbours.at(-1)?.at(-1);
      const isNeighbour =
        before !== undefined &&
        seatOf(before).place === seatOf(advance).place - 1 &&
        seatOf(before).isLong === seatOf(advance).isLong;
      if (isNeighbour) neighbours.at(-1)?.push(advance);
      else neighbours.push([advance]);
    }
    for (const group of neighbours) await this.#runTogether(group);
  }

  /**
   * Runs ids of each sequence: one, or several where all begin. Their places and those
   * between them are the rows of the batch; a row that no sequence takes part in, and
   * the end of one with fewer ids, runs ids whose results nobody looks at, states included.
   */
  async #runTogether(advances: readonly Advance<RunningSequence>[]): Promise<void> {
    const { cache } = this.#way;
    const places = advances.map(({ member }) => member.seat.place);
    const first = Math.min(...places);
    const count = Math.max(...places) - first + 1;
    const length = Math.max(...advances.map(({ ids }) => ids.length));
    const isLong = advances[0]?.member.seat.isLong === true;
    const widest = isLong && this.#widensMasks ? (this.#plan.border?.ids ?? 0) + 1 : 0;
    const rooms = this.#kept.rooms;
    for (const { member, ids } of advances) {
      const { place } = member.seat;
      rooms[place] = Math.max(rooms[place] ?? 0, cache.lengthOf(place) + ids.length, widest);
    }
    cache.makeRoom(first, count, rooms);

    // Where nobody takes part, one row more than there are: it is not taken into the cache. Positions
    // say the same, because some graphs take a row's length from them.
    const lengths = Array.from({ length: count }, (_, index) => cache.lengthOf(first + index) + 1);
    const idCounts = Array.from({ length: count }, () => 1);
    const ids = new BigInt64Array(count * length);
    for (const { member, ids: own } of advances) {
      const { place } = member.seat;
      lengths[place - first] = cache.lengthOf(place) + own.length;
      idCounts[place - first] = own.length;
      for (const [index, id] of own.entries()) ids[(place - first) * length + index] = BigInt(id);
    }
    const ports = this.#ports;
    const feeds: Record<string, Tensor> = {
      ...this.#way.constants,
      [ports.ids]: new Tensor("int64", ids, [count, length]),
      [ports.mask]: this.#maskOf(lengths, widest),
    };
    if (ports.positions !== undefined) {
      const positions = positionsOf(lengths, idCounts, length);
      feeds[ports.positions] = new Tensor("int64", positions, [count, length]);
    }
    if (ports.branch !== undefined) {
      const readsCache = Uint8Array.of(cache.lengthOf(first) > 0 ? 1 : 0);
      feeds[ports.branch] = new Tensor("bool", readsCache, [1]);
    }
    const output = await this.#execute(feeds, first, idCounts, lengths);
    // Rows for some positions or all: the last is what counts.
    const vocabulary = output.logits.dims.at(-1) ?? 0;
    const rowLength = output.logits.size / count;
    const logits = widenFloats(output.logits, rowLength - vocabulary);
    for (const { member, ids: own } of advances) {
      const index = member.seat.place - first;
      member.logits = logits.subarray(index * rowLength, index * rowLength + vocabulary);
      member.largestLogit = output.largest?.at((index + 1) * (output.largest.length / count) - 1);
      member.turn = this.#turns;
      this.#kept.accept(member.seat, own);
    }
  }

  async #execute(
    feeds: Readonly<Record<string, Tensor>>,
    first: number,
    idCounts: readonly number[],
    lengths: readonly number[],
  ): Promise<RunLogits> {
    try {
      return await this.#way.execute(feeds, first, idCounts);
    } catch (cause) {
      if (isStreamgaugeError(cause)) throw cause;
      const [length, total] = [Math.max(...idCounts), Math.max(...lengths)];
      throw new StreamgaugeError(
        "ENGINE_FAILED",
        `onnxruntime failed while running ${length === 1 ? "a position" : `${length} positions`} ` +
          `up to ${total - 1}: ${messageOf(cause)}`,
        { cause },
      );
    }
  }

  /** For each length a row with as many ones, then zeros; at least so wide. */
  #maskOf(lengths: readonly number[], widest: number): Tensor {
    const count = lengths.length;
    const longest = Math.max(...lengths);
    const total = Math.max(longest, widest);
    if (count === 1 && total === longest) {
      if (this.#ones.length < total) this.#ones = new BigInt64Array(total * 2).fill(1n);
      return new Tensor("int64", this.#ones.subarray(0, total), [1, total]);
    }
    const mask = new BigInt64Array(count * total);
    for (const [index, ones] of lengths.entries()) {
      mask.fill(1n, index * total, index * total + ones);
    }
    return new Tensor("int64", mask, [count, total]);
  }
}

/**
 * For each row the positions of its ids, up to its length; behind them the last again, so
 * that the largest of a row is its last.
 */
function positionsOf(
  lengths: readonly number[],
  idCounts: readonly number[],
  columns: number,
): BigInt64Array {
  const positions = new BigInt64Array(lengths.length * columns);
  for (const [row, length] of lengths.entries()) {
    const from = length - (idCounts[row] ?? 0);
    for (let column = 0; column < columns; column++) {
      positions[row * columns + column] = BigInt(Math.min(from + column, length - 1));
    }
  }
  return positions;
}
