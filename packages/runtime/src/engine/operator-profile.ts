import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import { invalidOption } from "@streamgauge/core";
import type { InferenceSession } from "onnxruntime-node";

/** The session options that make onnxruntime time its operators. */
export type ProfilingOptions = Required<
  Pick<InferenceSession.SessionOptions, "enableProfiling" | "profileFilePrefix">
>;

/**
 * Options for one session. onnxruntime adds the time and `.json` to the prefix
 * and reports neither; a prefix that no other session has lets us find the file.
 */
export function profilingOptions(prefix: string): ProfilingOptions {
  const unique = randomBytes(4).toString("hex");
  return { enableProfiling: true, profileFilePrefix: `${prefix}-${threadId}-${unique}` };
}

/**
 * The file of a session that was created with these options: empty until the
 * session ends its profile.
 *
 * @throws StreamgaugeError `INVALID_OPTION` when there is none; onnxruntime says
 *   nothing when it cannot write
 */
export async function findOperatorProfile({
  profileFilePrefix,
}: ProfilingOptions): Promise<string> {
  const folder = dirname(profileFilePrefix);
  const names = await readdir(folder).catch(() => []);
  const name = names.find((candidate) => candidate.startsWith(basename(profileFilePrefix)));
  if (name !== undefined) return join(folder, name);
  throw invalidOption(
    `operatorProfile: onnxruntime could not write a file in ${folder}. ` +
      `Give a path prefix in a folder that exists and can be written to.`,
  );
}
