import type { StopReason } from "../generator.js";

/**
 * Lets others than the consumer stop a generation: its signal, its deadline,
 * whoever closes the generator.
 *
 * @param stop stops it; no effect on one that is over
 * @returns ends that; to be called when the consumer has been told of the end, and
 *   not when the producer has ended, whose last tokens may wait to be read
 */
export type ArmStops = (stop: (reason: StopReason) => void) => () => void;

/** Nobody else stops it. */
export const armNothing: ArmStops = () => () => undefined;
