import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, StreamgaugeError } from "@streamgauge/core";

/** Where a part's files lie on this machine, until they are in Redis. */
export interface Spool {
  /** @throws StreamgaugeError `AGENT_STORAGE` where there is no room */
  write(name: string, bytes: Uint8Array): Promise<void>;
  read(name: string): Promise<Uint8Array>;
  /** Names of what was written, in its order. */
  readonly names: readonly string[];
  /** Takes it all away. */
  remove(): Promise<void>;
}

/**
 * @param parent folder for it; default: that of the system for temporary files
 * @throws StreamgaugeError `AGENT_STORAGE` where it cannot be made
 */
export async function createSpool(parent: string = tmpdir()): Promise<Spool> {
  const folder = await mkdtemp(join(parent, "streamgauge-agent-")).catch((cause: unknown) => {
    throw storage(parent, cause);
  });
  const names: string[] = [];
  return {
    names,
    async write(name, bytes) {
      try {
        await writeFile(join(folder, name), bytes);
      } catch (cause) {
        throw storage(parent, cause);
      }
      names.push(name);
    },
    read: (name) => readFile(join(folder, name)),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function storage(folder: string, cause: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "AGENT_STORAGE",
    `What is measured cannot be written to ${folder}: ${messageOf(cause)}. Make room there, or give ` +
      `another folder with --spool.`,
    { cause },
  );
}
