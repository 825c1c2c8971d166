import { StreamgaugeError, messageOf } from "@streamgauge/core";

/** What a user of the bench may have left out. */
const optionalPackages = ["@streamgauge/runtime", "onnxruntime-node"] as const;

/**
 * Loads a module of the runtime, or one of ours that imports it. Every import of the
 * runtime goes through here, so that what needs none runs without it.
 *
 * @param load a dynamic import
 * @throws StreamgaugeError `RUNTIME_MISSING` where the runtime is not installed; what the
 *   module throws
 */
export async function needsRuntime<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    const missing = missingPackage(cause);
    if (missing === undefined) throw cause;
    throw new StreamgaugeError(
      "RUNTIME_MISSING",
      `This needs ${missing}, which is not installed. Run "npm install ` +
        `${optionalPackages.join(" ")}" beside @streamgauge/bench. Your own generators ` +
        `(bench my-engine.bench.js) and endpoints (bench --url) need neither.`,
      { cause },
    );
  }
}

/** The optional package that could not be found, if that is what an error says. */
export function missingPackage(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return undefined;
  // A file that a package itself lacks is named by its path, without quotes around the name.
  return optionalPackages.find((name) => new RegExp(`'${name}(/[^']*)?'`).test(messageOf(error)));
}
