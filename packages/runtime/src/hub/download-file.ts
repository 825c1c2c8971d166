import { constants } from "node:fs";
import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { isStreamgaugeError } from "@streamgauge/core";
import { cacheFailure, inCache } from "./cache-failure.js";
import { notAHub, unreachable, type HubAccess } from "./hub-fetch.js";
import { alteredFile, type HubFile } from "./hub-files.js";
import { hashFile, sizeOfFile } from "./verify-file.js";

export interface FileDownload {
  readonly access: HubAccess;
  readonly hubFetch: typeof fetch;
  readonly file: HubFile;
  readonly url: string;
  /** Where the file is when it is whole; until then its bytes are in {@link partialFile}. */
  readonly target: string;
  /** Called with how many bytes are there. */
  readonly onBytes: (bytes: number) => void;
}

/** Where the bytes of a file gather, for Hugging Face's own tools too. */
export function partialFile(target: string): string {
  return `${target}.incomplete`;
}

/**
 * Downloads a file, from where an earlier download stopped, and holds its size and hash against
 * what the hub lists. The target is whole, or as it was.
 *
 * Two downloads of one file write the same bytes at the same places, and do no harm.
 *
 * @throws StreamgaugeError `HUB_FAILED` and what else the hub answers; `MODEL_CORRUPT` for bytes that
 *   are not the listed ones, which are deleted; `CACHE_FAILED`; the signal's reason. But for
 *   `MODEL_CORRUPT`, what has arrived stays for the next time.
 */
export async function downloadFile(download: FileDownload): Promise<void> {
  const { file, target, access } = download;
  const partial = partialFile(target);
  const handle = await inCache(partial, () =>
    open(partial, constants.O_WRONLY | constants.O_CREAT, 0o644),
  );
  let position: number;
  try {
    position = await fill(handle, download);
    await inCache(partial, () => handle.sync());
  } finally {
    await handle.close();
  }
  if (position > file.sizeBytes) {
    await rm(partial, { force: true });
    throw alteredFile(file, `the hub lists ${file.sizeBytes} bytes, and more came`);
  }
  const hash = await hashPartial();
  if (hash !== file.hash) {
    await rm(partial, { force: true });
    throw alteredFile(file, `its hash is ${hash}, and the hub lists ${file.hash}`);
  }
  await inCache(target, () => rename(partial, target));

  async function hashPartial(): Promise<string> {
    try {
      return await hashFile(partial, file, access.signal);
    } catch (cause) {
      access.signal?.throwIfAborted();
      throw cacheFailure(partial, cause);
    }
  }
}

/** @returns how many bytes the partial file has then: all, or more than there should be */
async function fill(handle: FileHandle, download: FileDownload): Promise<number> {
  const { file, target, hubFetch, url, access, onBytes } = download;
  const partial = partialFile(target);
  const kept = (await sizeOfFile(partial)) ?? 0;
  let position = kept <= file.sizeBytes ? kept : 0;
  onBytes(position);
  if (position < file.sizeBytes) {
    const headers = position === 0 ? {} : { range: `bytes=${position}-` };
    const response = await hubFetch(url, { headers });
    const body = checkBody(response, download);
    // A server that takes no ranges begins anew.
    if (response.status !== 206) position = 0;
    else if (!startsAt(response, position)) {
      await body.cancel().catch(() => undefined);
      throw notAHub(access.endpoint, `it sends another part of ${file.path} than was asked for`);
    }
    position = await writeBody(handle, body, position, download);
  }
  if (position < file.sizeBytes) {
    throw unreachable(
      access.endpoint,
      new Error(`${file.path} ended after ${position} of ${file.sizeBytes} bytes`),
    );
  }
  // What an earlier answer left behind.
  if (kept > file.sizeBytes && position === file.sizeBytes) {
    await inCache(partial, () => handle.truncate(position));
  }
  return position;
}

async function writeBody(
  handle: FileHandle,
  body: ReadableStream<Uint8Array>,
  from: number,
  { file, target, access, onBytes }: FileDownload,
): Promise<number> {
  let position = from;
  const reader = body.getReader();
  try {
    while (position <= file.sizeBytes) {
      const { done, value } = await reader.read();
      if (done) break;
      await inCache(partialFile(target), () => writeAll(handle, value, position));
      position += value.length;
      onBytes(Math.min(position, file.sizeBytes));
    }
    return position;
  } catch (cause) {
    access.signal?.throwIfAborted();
    throw isStreamgaugeError(cause) ? cause : unreachable(access.endpoint, cause);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const rest = bytes.length - written;
    const { bytesWritten } = await handle.write(bytes, written, rest, position + written);
    written += bytesWritten;
  }
}

function checkBody(
  { headers, body }: Response,
  { file, access }: FileDownload,
): ReadableStream<Uint8Array> {
  const isPage = headers.get("content-type")?.startsWith("text/html") === true;
  if (body !== null && !isPage) return body;
  void body?.cancel().catch(() => undefined);
  throw notAHub(access.endpoint, `it sends ${isPage ? "a page" : "nothing"} for ${file.path}`);
}

function startsAt({ headers }: Response, position: number): boolean {
  return headers.get("content-range")?.startsWith(`bytes ${position}-`) === true;
}
