/** The cause of a failure that an endpoint reported by its HTTP status. It holds nothing else. */
export class AnswerStatus extends Error {
  override readonly name = "AnswerStatus";
  readonly status: number;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.status = status;
  }
}

/** Whether it is one, whichever copy of this package made it. */
export function isAnswerStatus(error: unknown): error is AnswerStatus {
  return error instanceof Error && error.name === "AnswerStatus" && "status" in error;
}
