/** How far loading is. */
export interface LoadProgress {
  readonly stage: "reading" | "preparing" | "warming up" | "ready";
}
