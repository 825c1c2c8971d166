/** How far a check is. */
export interface CheckProgress {
  /** What is being done, in a few words. */
  readonly part: string;
  readonly doneTokens: number;
  readonly totalTokens: number;
}
