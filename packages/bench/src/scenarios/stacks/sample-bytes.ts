import { allocatedBytes } from "../../profile/allocation-summary.js";
import { mainDiagnostics } from "../thread-diagnostics.js";

/** Starts to sample what this thread allocates; what it returns ends that and gives the bytes. */
export type SampleBytes = () => Promise<() => Promise<number>>;

/** Samples with V8's heap profiler; garbage counts too. */
export const sampleAllocatedBytes: SampleBytes = async () => {
  const sampling = await mainDiagnostics("allocations");
  return async () => {
    const reports = await sampling.stop();
    return reports.reduce((sum, { report }) => sum + allocatedBytes(report), 0);
  };
};
