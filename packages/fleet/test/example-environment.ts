import type { Environment } from "@streamgauge/bench/parts";

/** A machine that nobody has. */
export const exampleEnvironment: Environment = {
  cpuModel: "Abacus 9000",
  logicalCores: 2,
  cpuGovernor: null,
  memoryBytes: 8 * 2 ** 30,
  operatingSystem: "Linux 6.1 x64",
  busyCoresBefore: 0,
  loadAverageBefore: [0, 0, 0],
  loadAverageAfter: null,
  stolenCpuFraction: null,
  nodeVersion: "20.20.0",
  v8Version: "11",
  packages: { "@streamgauge/core": "0.1.0", "@streamgauge/bench": "0.1.0" },
  git: { commit: "c0ffee", dirty: false },
  advice: [],
  peakResidentBytes: 1,
};
