import type { StreamToken } from "@streamgauge/core";
import {
  createRing,
  resolveRingOptions,
  RingProducer,
  type RingMemory,
  type RingOptions,
} from "@streamgauge/runtime/ring";
import type { Transport } from "./transport.js";

/** The runtime's ring in shared memory, as its streams use it. */
export function ringTransport(options: RingOptions): Transport<RingMemory> {
  return {
    hasBackpressure: true,
    receive() {
      const { consumer, memory, transfer } = createRing(resolveRingOptions(options));
      return {
        remote: memory,
        transfer,
        async run(onToken) {
          do {
            for (let token = consumer.poll(); token !== undefined; token = consumer.poll()) {
              onToken(token);
            }
          } while (await consumer.wait());
        },
        close: () => consumer.stop("closed"),
      };
    },
    send(memory) {
      const producer = new RingProducer(memory);
      producer.begin();
      const pushWhenThereIsRoom = async (token: StreamToken): Promise<void> => {
        do await producer.writable();
        while (producer.stopReason === undefined && !producer.push(token));
      };
      return {
        send: (token) => (producer.push(token) ? undefined : pushWhenThereIsRoom(token)),
        end: () => producer.end(),
      };
    },
  };
}
