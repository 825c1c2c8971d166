import { listSupportedBackends } from "onnxruntime-node";

/**
 * The execution providers that onnxruntime-node brings along on this platform,
 * "cpu" among them. Those that need more than its package, such as CUDA, are not
 * among them.
 */
export function bundledExecutionProviders(): readonly string[] {
  return listSupportedBackends()
    .filter(({ bundled }) => bundled)
    .map(({ name }) => name);
}
