import type { StreamToken } from "@streamgauge/core";
import * as Comlink from "comlink";
import { MessageChannel, type MessagePort } from "node:worker_threads";
import type { ReceivingEnd, Transport } from "./transport.js";

/** What crosses instead of a token when there are no more. */
const endOfStream = null;

/** @param listen has `take` called with each message that comes through the port */
function receiveThrough(
  listen: (port: MessagePort, take: (token: StreamToken | typeof endOfStream) => void) => void,
): ReceivingEnd<MessagePort> {
  const { port1, port2 } = new MessageChannel();
  return {
    remote: port2,
    transfer: [port2],
    run: (onToken) =>
      new Promise((resolve) => {
        listen(port1, (token) => {
          if (token === endOfStream) resolve();
          else onToken(token);
        });
      }),
    close: () => port1.close(),
  };
}

/** A message for each token: the yardstick, and what the other two are made of. */
export const postMessageTransport: Transport<MessagePort> = {
  // Messages queue up without a bound.
  hasBackpressure: false,
  receive: () => receiveThrough((port, take) => port.on("message", take)),
  send: (port) => ({
    send: (token) => port.postMessage(token),
    end: () => port.postMessage(endOfStream),
  }),
};

/**
 * The consumer's callback, called from the producing thread through comlink: a
 * message for the call, and one for the answer.
 *
 * @param options.awaited whether the producer waits for each answer, as it has to
 *   if the consumer is to set the pace
 */
export function comlinkTransport({
  awaited,
}: {
  readonly awaited: boolean;
}): Transport<MessagePort> {
  return {
    hasBackpressure: awaited,
    receive: () => receiveThrough((port, take) => Comlink.expose(take, port)),
    send(port) {
      const callback = Comlink.wrap<(token: StreamToken | typeof endOfStream) => void>(port);
      if (awaited) return { send: callback, end: () => callback(endOfStream) };
      const answers: Promise<void>[] = [];
      return {
        send: (token) => void answers.push(callback(token)),
        // Answers are part of the cost, whether or not anybody waits for them.
        end: async () => void (await Promise.all([...answers, callback(endOfStream)])),
      };
    },
  };
}

/** Chunks that the producing side may keep: what the ring holds by default. */
const highWaterMark = 256;

/** A web stream of tokens, transferred. Node moves each chunk in a message and asks for each in another. */
export const readableStreamTransport: Transport<MessagePort> = {
  hasBackpressure: true,
  receive() {
    const { port1, port2 } = new MessageChannel();
    const arrived = new Promise<ReadableStream<StreamToken>>((resolve) => {
      port1.once("message", resolve);
    });
    return {
      remote: port2,
      transfer: [port2],
      async run(onToken) {
        const reader = (await arrived).getReader();
        for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
          onToken(chunk.value);
        }
      },
      close: () => port1.close(),
    };
  },
  send(port) {
    let wake: (() => void) | undefined;
    let controller: ReadableStreamDefaultController<StreamToken> | undefined;
    const stream = new ReadableStream<StreamToken>(
      {
        start: (own) => void (controller = own),
        // Called when there is room again.
        pull: () => wake?.(),
      },
      { highWaterMark },
    );
    port.postMessage(stream, [stream]);
    return {
      send(token) {
        controller?.enqueue(token);
        if ((controller?.desiredSize ?? 0) > 0) return undefined;
        return new Promise((resolve) => {
          wake = resolve;
        });
      },
      end: () => controller?.close(),
    };
  },
};
