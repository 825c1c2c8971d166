/**
 * A file's path as others may see it: from the package on, which is where it is
 * on every machine. Profiles are kept beside records, and records are shown to
 * others.
 *
 * @param url as V8 gives it: a file URL, a path, or `node:…`
 * @returns with forward slashes: `@streamgauge/runtime/dist/ring/sleep.js`, what
 *   follows the last `node_modules/`, or the last two segments of another file
 */
export function portablePath(url: string): string {
  if (url.startsWith("node:") || url === "") return url;
  const path = url.replaceAll("\\", "/");
  const own = /\/packages\/(core|runtime|bench|report)\/((?:dist|src)\/.*)$/.exec(path);
  if (own !== null) return `@streamgauge/${own[1]}/${own[2]}`;
  const installed = path.split("/node_modules/").at(-1) as string;
  return installed === path ? path.split("/").slice(-2).join("/") : installed;
}
