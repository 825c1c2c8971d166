/** The ring's promises as a model, and what can be asked of a ring's two ends. */
import assert from "node:assert/strict";
import type { StopReason, StreamToken } from "@streamgauge/core";
import fc from "fast-check";
import type { RingConsumer, RingEnding, RingProducer } from "../src/ring/index.js";

/** What a ring promises, in the simplest form. */
export interface Model {
  readonly capacity: number;
  readonly publishBatch: number;
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
}

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
      assert.equal(await real.waiting, hasSlot);
      real.waiting = undefined;
      look(model);
    },
    toString: () => name,
  };
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
      producedAtMilliseconds: index % 3 === 0 ? undefined : index + 0.5,
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

const poll = command(
  "poll()",
  () => true,
  (model, { consumer, waiting }) => {
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
  },
);

/** Everything that can be asked of a ring's two ends. */
export const ringCommands: readonly fc.Arbitrary<RingCommand>[] = [
  fc.string({ maxLength: 40, unit: "grapheme" }).map(push),
  fc.constant(push("a")),
  fc.constant(poll),
  fc.constant(
    command(
      "wait()",
      () => true,
      (model, real) => {
        if (real.waiting !== undefined) return;
        real.waiting = real.consumer.wait();
        look(model);
      },
    ),
  ),
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
  fc.constant(
    command(
      "begin()",
      ({ claimed }) => !claimed,
      (model, { producer }) => {
        assert.equal(producer.begin(), model.ending === undefined);
        model.claimed = model.ending === undefined;
      },
    ),
  ),
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

export function newModel(options: Pick<Model, "capacity" | "publishBatch">): Model {
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
  };
}
