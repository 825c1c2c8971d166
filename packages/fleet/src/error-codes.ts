/** The error codes of this package, beside those of core, runtime and bench. */
export interface FleetErrorCodes {
  /** The Redis server cannot be reached, refuses, is too old, or drops keys. */
  readonly REDIS_FAILED: true;
  /** Another agent measures on this machine. */
  readonly AGENT_PRESENT: true;
  /** The agent has no room for what it measures. */
  readonly AGENT_STORAGE: true;
  /** A message in Redis is not one that this version takes. */
  readonly INVALID_MESSAGE: true;
  /** A part of the run failed wherever it was tried. */
  readonly PART_FAILED: true;
  /** A step of a load was given up: its agent has nothing to say of it. */
  readonly STEP_VOID: true;
  /** No machine of a class is left, and the run was told to go on without. */
  readonly MACHINES_LOST: true;
}

declare module "@streamgauge/core" {
  interface StreamgaugeErrorCodes extends FleetErrorCodes {}
}
