/**
 * A process that keeps one core busy while it is told to. Started by `busy-core.ts`.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { BusyAnswer, BusyOrder } from "./busy-core.js";

/** Between two looks at what it is told. */
const sliceMilliseconds = 5;

let isBusy = false;

process.on("disconnect", () => process.exit());
process.on("message", (order) => {
  const wasBusy = isBusy;
  isBusy = (order as BusyOrder) === "spin";
  if (isBusy && !wasBusy) spin();
  process.send?.((isBusy ? "spins" : "rests") satisfies BusyAnswer);
});

function spin(): void {
  if (!isBusy) return;
  const end = performance.now() + sliceMilliseconds;
  while (performance.now() < end);
  setImmediate(spin);
}
