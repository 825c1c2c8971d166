// What servers of known behaviour answer to a load; for one client, and for several at once.
import { setTimeout as pause } from "node:timers/promises";
import type { ListedRequest } from "../src/load/request-mix.js";
import { promptOf } from "./endpoint-servers.js";
import { delta, done, json, role, stream, usage, type Script } from "./scripted-openai.js";

/** Two tokens at once; three of the prompt. */
export const answering: Script = stream(
  role,
  delta({ content: "a" }),
  delta({ content: "b" }, "stop"),
  usage(3, 2),
  done,
);

/** A server that answers nobody for a while. */
export interface StoppingServer {
  readonly script: Script;
  /** Requests that came while it answered nobody. */
  readonly waited: () => number;
}

/** Answers at once, but for so long after a request. @param request its number, from 1 */
export function stoppingAt(request: number, milliseconds: number): StoppingServer {
  let seen = 0;
  let waited = 0;
  let stopped: Promise<void> | undefined;
  return {
    script: async (response, asked) => {
      seen += 1;
      if (seen === request) stopped = pause(milliseconds).then(() => (stopped = undefined));
      if (stopped !== undefined) waited += 1;
      await stopped;
      await answering(response, asked);
    },
    waited: () => waited,
  };
}

/** How long {@link slowByPrompt} takes for a slow token. */
const slowMilliseconds = 3000;

/** Between what {@link slowByPrompt} takes and what the slowest machine of a test does. */
export const slowLimitNanoseconds = 2.5e9;

/** What {@link slowByPrompt} tells apart. */
export const slowPrompts: readonly ListedRequest[] = ["fast", "slow first", "slow second"].map(
  (prompt) => ({ prompt }),
);

/** Takes long for the first of two tokens, for the second, or for none, as the prompt says. */
export const slowByPrompt: Script = async (response, { body }) => {
  const kind = promptOf(body);
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(role);
  if (kind === "slow first") await pause(slowMilliseconds);
  response.write(delta({ content: "a" }));
  if (kind === "slow second") await pause(slowMilliseconds);
  response.end(delta({ content: "b" }, "stop") + usage(3, 2) + done);
};

/** A server that works on so many requests at once, for so long each. */
export interface BoundedServer {
  readonly places: number;
  readonly holdMilliseconds: number;
  /** Requests that may wait for a place. One more, and it fails all until it has nothing to do. */
  readonly mostWaiting: number;
}

/** Requests per second that it can serve. */
export function boundedCapacity({ places, holdMilliseconds }: BoundedServer): number {
  return (1000 * places) / holdMilliseconds;
}

/**
 * Serves up to its capacity, and breaks down above: what a client sees differs by far more than what
 * other programs on the machine do to latencies.
 */
export function breakingDown({ places, holdMilliseconds, mostWaiting }: BoundedServer): Script {
  const waiting: (() => void)[] = [];
  let busy = 0;
  let isDown = false;
  let failing = 0;
  return async (response, asked) => {
    if (isDown || waiting.length >= mostWaiting) {
      isDown = true;
      failing += 1;
      await pause(holdMilliseconds);
      await json("{}", 503)(response, asked);
      failing -= 1;
    } else {
      if (busy >= places) await new Promise<void>((resolve) => waiting.push(resolve));
      busy += 1;
      await pause(holdMilliseconds);
      await answering(response, asked);
      busy -= 1;
      waiting.shift()?.();
    }
    if (busy + failing + waiting.length === 0) isDown = false;
  };
}
