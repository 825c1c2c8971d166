import { arch, cpus, platform } from "node:os";
import { env } from "onnxruntime-node";

/** Machines on which the same settings are expected to take the same time. */
export interface MachineClass {
  readonly platform: string;
  readonly architecture: string;
  readonly processor: string;
  /** That the process may use. */
  readonly cores: number;
  /** The version of onnxruntime, whose kernels and threads they are. */
  readonly onnxruntime: string;
}

/** @param cores that the process may use */
export function machineClass(cores: number): MachineClass {
  return {
    platform: platform(),
    architecture: arch(),
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores,
    onnxruntime: env.versions.node ?? "unknown",
  };
}
