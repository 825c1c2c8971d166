/** The ring's promises as a model, and what can be asked of a ring's two ends. */
import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { StopReason, StreamToken } from "@streamgauge/core";
import fc from "fast-check";
import type { RingConsumer, RingEnding, RingProducer } from "../src/ring/index.js";
import type { Dozer } from "../src/ring/ticker.js";

/** What a ring promises, in the simplest form. */
export interface Model {
  readonly capacity: number;
  readonly publishBatch: number;
  readonly maxDelayMilliseconds: number;
  /** Tokens taken from the producer; the last one may be in the ring in part. */
  readonly tokens: StreamToken[];
  /** Slots of {@link tokens}, and those of them that are visible and read. */
  written: number;
  published: number;
  read: number;
  /** Slots given back to the producer, and slots the consumer has seen to be visible. */
  released: number;
  seen: number;
  /** Tokens that are visible as a whole, and those polled. */
  publishedTokens: number;
  polledTokens: number;
  sincePublish: number;
  /** A token that was refused, and how much of it is in the ring. */
  interrupted: { readonly token: StreamToken; readonly slots: number } | undefined;
  claimed: boolean;
  ending: RingEnding | undefined;
  producerEnded: boolean;
  stopReason: StopReason | undefined;
  /** Whether who waits wants to be woken for what is urgent only. */
  dozing: boolean;
}

/** Who waits for the next tick; of one ring at a time. */
export const dozers = new Set<Dozer>();

interface Real {
  readonly consumer: RingConsumer;
  readonly producer: RingProducer;
  waiting: Promise<boolean> | undefined;
  writable?: Promise<void>;
}

type RingCommand = fc.AsyncCommand<Model, Real>;

const slotsOf = (text: string): number => Math.max(1, Math.ceil(text.length / 16));

function publish(model: Model): void {
  model.published = model.written;
  model.publishedTokens = model.tokens.length;
  model.sincePublish = 0;
}

function command(
  name: string,
  isPossible: (model: Model) => boolean,
  act: (model: Model, real: Real) => void,
): RingCommand {
  return {
    check: isPossible,
    run: async (model, real) => {
      act(model, real);
      assert.equal(real.producer.stopReason, model.stopReason);
      assert.equal(real.consumer.stopReason, model.stopReason);
      assert.equal(real.consumer.ending, model.ending);
      const hasSlot = model.stopReason === undefined && model.read < model.published;
      const isOver = model.stopReason !== undefined || model.ending !== undefined;
      await real.writable;
      if (real.waiting === undefined || (!hasSlot && !isOver)) return;
      if (model.dozing && !isOver && !isHalfFull(model)) return await expectPending(real.waiting);
      assert.equal(await real.waiting, hasSlot);
      real.waiting = undefined;
      model.dozing = false;
      look(model);
    },
    toString: () => name,
  };
}

async function expectPending(promise: Promise<unknown>): Promise<void> {
  let isPending = true;
  void promise.then(() => (isPending = false));
  await nextTurn();
  assert.ok(isPending, "the consumer was woken for what was not urgent");
}

const isHalfFull = ({ written, released, capacity }: Model): boolean =>
  (written - released) * 2 >= capacity;

/** Whether one of the last two gaps between tokens that were polled is short; the first is presumed to be. */
function tokensComeFast({ tokens, polledTokens, maxDelayMilliseconds }: Model): boolean {
  if (maxDelayMilliseconds === 0 || polledTokens === 0) return false;
  const madeAt = tokens
    .slice(0, polledTokens)
    .map(({ producedAtMilliseconds }) => producedAtMilliseconds ?? Number.NaN);
  const [beforeLast, before, last] = [Number.NaN, Number.NaN, ...madeAt].slice(-3);
  if (Number.isNaN(last)) return false;
  if (polledTokens === 1) return true;
  const isShort = (from = Number.NaN, to = Number.NaN): boolean => to - from < maxDelayMilliseconds;
  return isShort(before, last) || isShort(beforeLast, before);
}

const isProducing = ({ claimed, producerEnded, ending }: Model): boolean =>
  claimed && !producerEnded && ending !== "lost";

/** A token, or once more the one that was refused. */
const push = (text: string): RingCommand =>
  command(`push(${JSON.stringify(text)})`, isProducing, (model, { producer }) => {
    const index = model.tokens.length;
    const token = model.interrupted?.token ?? {
      index,
      id: index * 7,
      text,
      endOfSequence: index % 5 === 4,
      logprob: index % 2 === 0 ? -index / 3 : undefined,
      producedAtMilliseconds: index % 7 === 6 ? undefined : index + 9 * (index % 5),
    };
    let missing = slotsOf(token.text) - (model.interrupted?.slots ?? 0);
    for (; missing > 0 && model.written - model.released < model.capacity; missing--) {
      model.written += 1;
    }
    assert.equal(producer.push(token), missing === 0);
    if (missing > 0) {
      model.interrupted = { token, slots: slotsOf(token.text) - missing };
      return publish(model);
    }
    model.tokens.push(token);
    model.interrupted = undefined;
    model.sincePublish += 1;
    if (model.sincePublish >= model.publishBatch || index === 0) publish(model);
  });

/** Looks for more when all that was seen is read, and gives that back first. */
function look(model: Model): void {
  if (model.read < model.seen) return;
  model.released = model.read;
  model.seen = model.published;
}

function poll(model: Model, { consumer, waiting }: Real): void {
  if (waiting !== undefined) return;
  const isThere = model.stopReason === undefined && model.polledTokens < model.publishedTokens;
  const expected = isThere ? model.tokens[model.polledTokens] : undefined;
  assert.deepEqual(consumer.poll(), expected);
  if (model.stopReason !== undefined) return;
  if (expected !== undefined) model.polledTokens += 1;
  const last = model.tokens
    .slice(0, model.polledTokens)
    .reduce((slots, { text }) => slots + slotsOf(text), 0);
  // Without a whole token it reads what is there of the next one.
  const end = expected === undefined ? Number.NaN : last;
  do {
    look(model);
    if (model.read === model.seen) break;
    model.read += 1;
    // A slow consumer gives room back when it has read half of the ring.
    if ((model.read - model.released) * 2 >= model.capacity) model.released = model.read;
  } while (model.read !== end);
}

function wait(model: Model, real: Real): void {
  if (real.waiting !== undefined) return;
  real.waiting = real.consumer.wait();
  look(model);
  // What is there already is taken without a sleep.
  model.dozing = model.read === model.seen && tokensComeFast(model);
}

/** What a consumer does: rarely would chance have it read all before it waits. */
const readAll = command(
  "poll() to the end and wait()",
  () => true,
  (model, real) => {
    while (model.polledTokens < model.publishedTokens && real.waiting === undefined) {
      const { polledTokens } = model;
      poll(model, real);
      if (model.polledTokens === polledTokens) break;
    }
    wait(model, real);
  },
);

const tick = command(
  "tick",
  () => true,
  (model) => {
    for (const dozer of dozers) dozer.endDoze(1);
    model.dozing = false;
  },
);

const begin = command(
  "begin()",
  ({ claimed }) => !claimed,
  (model, { producer }) => {
    assert.equal(producer.begin(), model.ending === undefined);
    model.claimed = model.ending === undefined;
  },
);

/** Everything that can be asked of a ring's two ends, each as often as the others. */
const allCommands: readonly fc.Arbitrary<RingCommand>[] = [
  fc.string({ maxLength: 40, unit: "grapheme" }).map(push),
  fc.constant(push("a")),
  fc.constant(command("poll()", () => true, poll)),
  fc.constant(command("wait()", () => true, wait)),
  fc.constant(readAll),
  fc.constant(tick),
  fc.constant(
    command(
      "writable()",
      (model) =>
        isProducing(model) &&
        (model.written - model.released < model.capacity || model.stopReason !== undefined),
      (model, real) => {
        real.writable = real.producer.writable();
        publish(model);
      },
    ),
  ),
  fc.constant(begin),
  fc.constant(
    command(
      "withdraw()",
      () => true,
      (model, { consumer }) => {
        const works = !model.claimed && model.ending === undefined;
        assert.equal(consumer.withdraw(), works);
        if (works) model.ending = "withdrawn";
      },
    ),
  ),
  fc.constant(
    command(
      "declareLost()",
      () => true,
      (model, { consumer }) => {
        consumer.declareLost();
        model.ending ??= "lost";
      },
    ),
  ),
  fc.constantFrom<StopReason>("cancelled", "aborted", "closed", "deadline").map((reason) =>
    command(
      `stop("${reason}")`,
      () => true,
      (model, { consumer }) => {
        consumer.stop(reason);
        model.stopReason ??= reason;
      },
    ),
  ),
  fc.constantFrom("complete" as const, "failed" as const).map((how) =>
    command(`end("${how}")`, isProducing, (model, { producer }) => {
      producer.end(how);
      publish(model);
      model.producerEnded = true;
      model.ending = how;
    }),
  ),
];

/** Those that end a ring are rare, or no sequence would come far. */
export const ringCommands: readonly fc.Arbitrary<RingCommand>[] = [
  ...allCommands,
  ...Array.from({ length: 5 }, () =>
    [push("a"), readAll, begin].map((one) => fc.constant(one)),
  ).flat(),
];

export function newModel(
  options: Pick<Model, "capacity" | "publishBatch" | "maxDelayMilliseconds">,
): Model {
  return {
    ...options,
    tokens: [],
    written: 0,
    published: 0,
    read: 0,
    released: 0,
    seen: 0,
    publishedTokens: 0,
    polledTokens: 0,
    sincePublish: 0,
    interrupted: undefined,
    claimed: false,
    ending: undefined,
    producerEnded: false,
    stopReason: undefined,
    dozing: false,
  };
}
