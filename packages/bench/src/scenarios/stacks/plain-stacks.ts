import { PassThrough, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { toNodeReadable, toReadableStream, type StreamToken } from "@streamgauge/core";
import type { RunStack, Stack, TokenSource } from "./stack.js";

/** What all in this process are compared with. */
export const baselineName = "async iterator";

const iterate: RunStack = async ({ stream, textOf }, take) => {
  for await (const token of stream()) take(textOf(token));
};

/** What needs nothing beside Node.js. */
export const plainStacks: readonly Stack[] = [
  { ...plain(baselineName, iterate), against: null },
  // The control: what is reported where there is no difference.
  plain(`${baselineName} again`, iterate),
  plain("ReadableStream.tee", async ({ stream, textOf }, take) => {
    const [read, other] = toReadableStream(stream()).tee();
    await Promise.all([
      each(read, (token) => take(textOf(token))),
      // The second reader is what it is split for.
      each(other, () => undefined),
    ]);
  }),
  plain("Node Readable", async ({ stream, textOf }, take) => {
    for await (const token of toNodeReadable(stream())) take(textOf(token as StreamToken));
  }),
  plain("Node pipeline", async ({ stream, textOf }: TokenSource, take) => {
    await pipeline(
      toNodeReadable(stream()),
      new PassThrough({ objectMode: true }),
      new Writable({
        objectMode: true,
        write(token: StreamToken, _encoding, done) {
          take(textOf(token));
          done();
        },
      }),
    );
  }),
];

function plain(name: string, run: RunStack): Stack {
  return {
    name,
    against: baselineName,
    library: null,
    socket: false,
    open: () => Promise.resolve(run),
  };
}

async function each(
  tokens: ReadableStream<StreamToken>,
  take: (token: StreamToken) => void,
): Promise<void> {
  for await (const token of tokens) take(token);
}
