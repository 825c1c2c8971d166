/** How often an agent does what it does all the time. Tests take shorter ones. */
export interface AgentTimings {
  /** Between two looks for a part. */
  readonly pollMilliseconds: number;
  /** Between two signs of life. */
  readonly beatMilliseconds: number;
  /** After so long without one the agent counts as gone. */
  readonly goneMilliseconds: number;
  /** A part belongs to whoever took it for so long; it is renewed three times in it. */
  readonly lockMilliseconds: number;
  /** Between two looks for parts whose agent is gone. */
  readonly stalledMilliseconds: number;
  /** A command that takes longer is given up, and the connection with it. */
  readonly watchdogMilliseconds: number;
  /** A process that sends requests and is told to stop has so long to do so; then it is killed. */
  readonly stopMilliseconds: number;
}

/** For machines that measure for minutes. */
export const usualTimings: AgentTimings = {
  pollMilliseconds: 1000,
  beatMilliseconds: 5000,
  goneMilliseconds: 30_000,
  lockMilliseconds: 30_000,
  stalledMilliseconds: 15_000,
  watchdogMilliseconds: 60_000,
  stopMilliseconds: 5000,
};
