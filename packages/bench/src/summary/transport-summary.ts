import { describeLoad, type ResultRecord } from "../record/index.js";

/** What each way between threads costs under one load. */
export interface TransportSummaryLine {
  /** In words. */
  readonly load: string;
  readonly transports: readonly {
    readonly transport: string;
    /** Of both threads. */
    readonly cpuMicrosecondsPerToken: number;
  }[];
}

/** One for each load, in the record's order. */
export function transportSummaries({ transports = [] }: ResultRecord): TransportSummaryLine[] {
  return transports.map((measured) => ({
    load: describeLoad(measured),
    transports: measured.transports.map(({ transport, cpuMicrosecondsPerToken }) => ({
      transport,
      cpuMicrosecondsPerToken,
    })),
  }));
}
