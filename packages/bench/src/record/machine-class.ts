import type { Environment } from "./environment.js";

/** What tells machines apart; an environment of a record has it. */
export type MachineIdentity = Pick<
  Environment,
  "cpuModel" | "logicalCores" | "operatingSystem" | "nodeVersion"
>;

/**
 * What machines have to have in common for their times to be put in one series:
 * CPU model, cores, platform with its architecture, and the major version of
 * Node. As a name for a file: "amd-epyc-2-cores-linux-x64-node20".
 */
export function machineClass(environment: MachineIdentity): string {
  const { cpuModel, logicalCores, operatingSystem, nodeVersion } = environment;
  // "Linux 6.18.44 x64": the release in the middle changes with every update.
  const words = operatingSystem.split(" ");
  const platform = `${words[0] ?? "unknown"} ${words.at(-1) ?? ""}`;
  const [major = "unknown"] = nodeVersion.split(".");
  return slug(`${cpuModel} ${logicalCores} cores ${platform} node${major}`);
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/\((r|tm)\)/g, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
}
