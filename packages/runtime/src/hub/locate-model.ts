import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { invalidOption, messageOf } from "@streamgauge/core";
import { findPulled, type PulledName } from "./hub-cache.js";
import { hubPrefix } from "./hub-name.js";

/** Where a model is; see {@link locateModel}. */
export interface ModelLocation {
  /** Absolute. */
  readonly folder: string;
  /** Which model of a hub it is, and at which commit; undefined for a path or a file URL. */
  readonly hub: PulledName | undefined;
}

/**
 * Finds what the option `model` names: a folder by its path or file URL, or `"hub:owner/name"` and
 * `"hub:owner/name@revision"` in the hub's cache. Downloads nothing. Whether a folder holds a model,
 * and whether a path leads to one, is seen when it is opened.
 *
 * @throws StreamgaugeError `INVALID_OPTION` for what is no name on a hub, and for a URL that leads to no
 *   file of this machine; `MODEL_NOT_FOUND`, with the command that pulls it, for what was not pulled
 */
export function locateModel(model: string | URL): ModelLocation {
  if (model instanceof URL) return { folder: folderAt(model), hub: undefined };
  if (!model.startsWith(hubPrefix)) return { folder: resolve(model), hub: undefined };
  const { folder, ...hub } = findPulled(model.slice(hubPrefix.length));
  return { folder: resolve(folder), hub };
}

function folderAt(url: URL): string {
  try {
    return resolve(fileURLToPath(url));
  } catch (cause) {
    throw invalidOption(
      `model is ${url.href}, which leads to no folder of this machine (${messageOf(cause)}): give a ` +
        `path, a file URL, or "hub:owner/name" as a text.`,
    );
  }
}
