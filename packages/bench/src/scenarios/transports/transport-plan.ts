import type { RingOptions } from "@streamgauge/runtime/ring";
import {
  comlinkTransport,
  postMessageTransport,
  readableStreamTransport,
} from "./message-transports.js";
import { ringTransport } from "./ring-transport.js";
import type { Transport } from "./transport.js";

/** Which transport to measure. Plain data, which crosses threads. */
export type TransportPlan =
  | RingTransportPlan
  | (Named & { readonly kind: "none" | "postMessage" | "readableStream" })
  | (Named & { readonly kind: "comlink"; readonly awaited: boolean });

/** The runtime's ring, by its options. */
export interface RingTransportPlan extends Named {
  readonly kind: "ring";
  readonly ring: RingOptions;
}

interface Named {
  /** For tables. Unique in a measurement. */
  readonly name: string;
}

/** The transport of a plan, on either thread. */
export function transportOf(plan: TransportPlan): Transport<unknown> {
  switch (plan.kind) {
    case "none":
      return noTransport;
    case "ring":
      return ringTransport(plan.ring);
    case "postMessage":
      return postMessageTransport;
    case "comlink":
      return comlinkTransport(plan);
    case "readableStream":
      return readableStreamTransport;
    default:
      return plan satisfies never;
  }
}

/** Tokens are made and nothing is delivered: what the load costs by itself. */
const noTransport: Transport<null> = {
  hasBackpressure: null,
  receive: () => ({
    remote: null,
    transfer: [],
    run: () => Promise.resolve(),
    close: () => undefined,
  }),
  send: () => ({ send: () => undefined, end: () => undefined }),
};
