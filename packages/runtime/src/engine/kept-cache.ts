import { commonPrefixLength, worthOf } from "../common-prefix.js";
import type { KeyValueCache } from "./key-value-cache.js";
import type { PrefixReuse } from "./prefix-reuse.js";

/** One sequence's share of a cache, from its beginning to its end. */
export interface Seat {
  /** Where its rows are; it can change between two runs. */
  place: number;
  /** Ids of its prompt whose rows were there when it began. */
  readonly cachedTokens: number;
  /** Rows that it is expected to have in the end, so that its place has room from the beginning. */
  readonly expectedRows: number;
  /** Whether its rows are those of a context behind the graph's border, see `findLengthBorder`. */
  isLong: boolean;
}

/** What was run in a place, as far as another sequence can go on from it. */
interface Place {
  seat: Seat | undefined;
  ids: number[];
  isLong: boolean;
  /** Ids of the sequence's last run; 0: nothing was run. */
  lastRun: number;
}

/**
 * A cache that outlives the sequences that filled it, and the ids whose rows at
 * its beginning the next sequence can use.
 *
 * An id is there when it was run. The one that was chosen last was not, if the
 * sequence ended with it.
 *
 * There are as many places as there were sequences at once. A new one takes the
 * free place with most of its prompt; of those with as much, or with next to nothing
 * of it, the one that was left first.
 */
export class KeptCache {
  readonly cache: KeyValueCache;
  /** Fewest ids whose run makes rows that can be used; infinite: none ever does. */
  readonly #leastTogether: number;
  #places: Place[] = [];
  /** Places without a sequence, in the order they were left. */
  readonly #free = new Set<Place>();

  constructor(cache: KeyValueCache, reuse: PrefixReuse) {
    this.cache = cache;
    this.#leastTogether = { sequences: 1, prompts: 2, off: Infinity }[reuse];
  }

  /**
   * Begins a sequence: leaves the rows of the ids that the prompt begins with,
   * and not of all of them, because the logits of its last position are needed.
   *
   * @param isLong see {@link Seat}: rows of the other kind are of no use
   */
  begin(promptIds: readonly number[], expectedRows: number, isLong: boolean): Seat {
    let best: Place | undefined;
    let kept = 0;
    let mostWorth = -1;
    for (const place of this.#free) {
      const index = this.#places.indexOf(place);
      // A place that was made shorter has fewer rows than ids.
      const ids = place.ids.slice(0, this.cache.lengthOf(index));
      const shared = place.isLong === isLong ? commonPrefixLength(ids, promptIds) : 0;
      const wanted = Math.max(0, Math.min(shared, promptIds.length - this.#leastTogether));
      const keepable = this.cache.keepable(index, wanted);
      const worth = worthOf(keepable, promptIds.length);
      if (worth > mostWorth) [best, kept, mostWorth] = [place, keepable, worth];
    }
    if (best === undefined) {
      best = { seat: undefined, ids: [], isLong, lastRun: 0 };
      this.#places.push(best);
    } else this.#free.delete(best);
    const place = this.#places.indexOf(best);
    this.cache.truncate(place, kept);
    best.ids.length = kept;
    best.lastRun = 0;
    const seat = { place, cachedTokens: kept, expectedRows, isLong };
    best.seat = seat;
    best.isLong = isLong;
    return seat;
  }

  /** Forgets a sequence's rows, because it now is one behind the border. */
  restartLong(seat: Seat): void {
    const place = this.#at(seat.place);
    this.cache.truncate(seat.place, 0);
    place.ids.length = 0;
    place.isLong = seat.isLong = true;
  }

  end({ place }: Seat): void {
    const left = this.#at(place);
    left.seat = undefined;
    this.#free.add(left);
  }

  /** Forgets what is kept for sequences to come. */
  forget(): void {
    for (const { ids } of this.#free) ids.length = 0;
  }

  /** Rows that the places which have a sequence need room for, by place. */
  get rooms(): (number | undefined)[] {
    const last = this.#places.findLastIndex(({ seat }) => seat !== undefined);
    return this.#places
      .slice(0, last + 1)
      .map(({ seat }, place) => seat && Math.max(seat.expectedRows, this.cache.lengthOf(place)));
  }

  /**
   * Moves these sequences next to each other where only free places are between
   * them, or others that have no rows yet, so that one run has few rows that nobody
   * needs.
   */
  gather(seats: readonly Seat[]): void {
    const inOrder = seats.toSorted((left, right) => left.place - right.place);
    for (let hole = inOrder[0]?.place ?? 0; hole < (inOrder.at(-1)?.place ?? 0); hole++) {
      const { seat } = this.#at(hole);
      const stays = seat !== undefined && this.cache.lengthOf(hole) > 0;
      if (stays || inOrder.some(({ place }) => place === hole)) continue;
      const mover = inOrder.pop();
      if (mover === undefined) break;
      this.#swap(mover.place, hole);
      inOrder.splice(inOrder.findLastIndex(({ place }) => place < hole) + 1, 0, mover);
    }
  }

  /** Takes in what a run of these ids has added. */
  accept({ place }: Seat, ids: readonly number[]): void {
    const at = this.#at(place);
    const kept = at.ids;
    const follows = this.cache.lengthOf(place) === kept.length;
    // Behind the prompt: what a turn that changes the completion can go on from.
    const endsPrompt = follows && ids.length === 1 && at.lastRun > 1;
    this.cache.accept(place, ids.length, endsPrompt && this.#leastTogether < Infinity);
    at.lastRun = ids.length;
    if (follows && ids.length >= this.#leastTogether) for (const id of ids) kept.push(id);
  }

  #swap(first: number, second: number): void {
    this.cache.swap(first, second);
    const [one, other] = [this.#at(first), this.#at(second)];
    this.#places[first] = other;
    this.#places[second] = one;
    if (one.seat !== undefined) one.seat.place = second;
    if (other.seat !== undefined) other.seat.place = first;
  }

  #at(place: number): Place {
    const found = this.#places[place];
    if (found === undefined) throw new RangeError(`There is no place ${place} in the cache.`);
    return found;
  }
}
