import type { StreamToken } from "@streamgauge/core";

/** What a consumer does with each token. Placeholder until the loads branch is merged. */
export interface Workload {
  readonly name: string;
  create(): (token: StreamToken) => void | Promise<void>;
}

export const workloads: readonly Workload[] = [];

export function findWorkload(name: string): Workload {
  return { name, create: () => () => undefined };
}
