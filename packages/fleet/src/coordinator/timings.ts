/** How often a coordinator looks. Tests take shorter times. */
export interface CoordinatorTimings {
  /** Between two looks for what was measured, and for agents. */
  readonly pollMilliseconds: number;
  /** Between two looks at jobs that were lost, and two renewals of what expires. */
  readonly checkMilliseconds: number;
  /** A class without an agent for so long counts as lost. */
  readonly lostMilliseconds: number;
}

/** For runs of minutes to hours. */
export const usualTimings: CoordinatorTimings = {
  pollMilliseconds: 500,
  checkMilliseconds: 10_000,
  lostMilliseconds: 120_000,
};
