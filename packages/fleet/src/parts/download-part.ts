import { messageOf, StreamgaugeError } from "@streamgauge/core";
import type { RecordedPart } from "@streamgauge/bench/parts";
import {
  manifest as manifestSchema,
  type Manifest,
  type ManifestFile,
} from "../messages/manifest.js";
import { readMessage } from "../messages/read-message.js";
import type { Redis } from "../redis/connection.js";
import type { FleetKeys } from "../redis/keys.js";
import { sha256Of } from "./hash.js";

/** A part that was measured, and the manifest that names it. */
export interface DownloadedPart {
  readonly manifest: Manifest;
  readonly recorded: RecordedPart;
}

/**
 * Gets a part that was committed; undefined while there is none.
 *
 * @throws StreamgaugeError `INVALID_MESSAGE` where the manifest, or a file that it names, is damaged or
 *   gone: the part has to be measured again
 */
export async function downloadPart(
  redis: Redis,
  keys: FleetKeys,
  part: string,
): Promise<DownloadedPart | undefined> {
  const text = await redis.get(keys.manifest(part));
  if (text === null) return undefined;
  const manifest = readMessage(manifestSchema, text, `the manifest of ${part}`);
  if (manifest.part !== part) throw damaged(part, `its manifest is that of ${manifest.part}`);
  const files = new Map<string, Uint8Array>();
  for (const file of manifest.files)
    files.set(file.name, await downloadFile(redis, keys, part, file));
  const { machine: name, label, environment } = manifest;
  const document = files.get("part");
  if (document === undefined) throw damaged(part, "its document is missing");
  files.delete("part");
  return {
    manifest,
    recorded: {
      document: parse(part, document),
      files,
      machine: { name, label, environment },
    },
  };
}

/**
 * Gets a file that was uploaded for a part.
 *
 * @throws StreamgaugeError `INVALID_MESSAGE` where it is damaged or gone
 */
export async function downloadFile(
  redis: Redis,
  keys: FleetKeys,
  part: string,
  { name, byteLength, sha256, chunks }: ManifestFile,
): Promise<Uint8Array> {
  const pieces: Buffer[] = [];
  for (const hash of chunks) {
    const piece = await redis.getBuffer(keys.chunk(part, hash));
    if (piece === null) throw damaged(part, `a piece of its file ${name} is gone`);
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  // That of the whole holds every piece too.
  if (bytes.byteLength !== byteLength || sha256Of(bytes) !== sha256) {
    throw damaged(part, `its file ${name} is another than its manifest says`);
  }
  return bytes;
}

function parse(part: string, document: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(document).toString("utf8"));
  } catch (cause) {
    throw damaged(part, `its document is not JSON (${messageOf(cause)})`);
  }
}

function damaged(part: string, what: string): StreamgaugeError {
  return new StreamgaugeError(
    "INVALID_MESSAGE",
    `In Redis, the part ${part} is damaged: ${what}. It has to be measured again.`,
  );
}
