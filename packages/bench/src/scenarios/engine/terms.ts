import { createRequire } from "node:module";
import { peerVersion } from "./peer-engine.js";

/** What both engines are set to. */
export function threadsTerm(threads: number, spinning: boolean): string {
  return `Both in one process, inline, with ${threads} thread(s) that ${spinning ? "spin" : "do not spin"} between runs; one computes at a time.`;
}

/** What was run, by version. */
export async function versionsTerm(): Promise<string> {
  return `onnxruntime-node ${runtimeVersion()}; @huggingface/transformers ${(await peerVersion()) ?? "unknown"}.`;
}

function runtimeVersion(): string {
  // The runtime's own copy: nobody else need see one.
  const runtime = createRequire(import.meta.url).resolve("@streamgauge/runtime/package.json");
  const require = createRequire(runtime);
  const { version } = require("onnxruntime-node/package.json") as { version: string };
  return version;
}
