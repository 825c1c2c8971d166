import { needsRuntime } from "../plan/needs-runtime.js";
import type { MeasurementPlan } from "../plan/stage.js";
import { promiseOf } from "../record/promise-of.js";
import type { TransportOptions } from "./transports/transport-options.js";

/**
 * Carries the same tokens from one thread to another by several transports, in
 * interleaved blocks.
 *
 * ```text
 * CPU per token    = user + system time of the process over a run / tokens
 * delivery latency = delivered(i) − made(i)
 * ```
 *
 * The tokens are what the stage's generator makes, once, beforehand. In each run
 * every token has to come once, in order, and with its content.
 */
export function transportMeasurement(options: TransportOptions): MeasurementPlan {
  return {
    id: options.id,
    expectedSeconds: options.expectedSeconds,
    promises: (options.claims ?? []).map(promiseOf),
    async measure(generator, context) {
      const { raceTransports } = await needsRuntime(() => import("./transport-race.js"));
      const measured = await raceTransports(generator, options, context);
      return measured === undefined ? {} : { transports: [measured] };
    },
  };
}
