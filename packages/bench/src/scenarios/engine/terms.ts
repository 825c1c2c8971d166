import { createRequire } from "node:module";
import type { EngineDtype } from "./engine-model.js";
import { peerVersion } from "./peer-engine.js";

/** What all engines are set to. */
export function threadsTerm(threads: number, spinning: boolean): string {
  return (
    `All in one process, inline, with ${threads} thread(s), which ${spinning ? "spin" : "do not spin"} ` +
    `between runs (those of llama.cpp spin within a step, and end with it); one computes at a time.`
  );
}

/** What was run, by version. */
export async function runtimeVersions(withPeer: boolean): Promise<string> {
  const peer = withPeer ? `; @huggingface/transformers ${(await peerVersion()) ?? "unknown"}` : "";
  return `onnxruntime-node ${runtimeVersion()}${peer}.`;
}

const storedAs: Readonly<Record<EngineDtype, string>> = {
  fp32: "in F32",
  q8: "as Q8_0, 8 bits in blocks of 32 with a scale in half precision (ours: in 32 bits)",
  q4: "as Q4_0, 4 bits in blocks of 32 with a scale in half precision (ours: in 32 bits)",
};

/** What llama.cpp runs. */
export function ggufTerm(dtype: EngineDtype): string {
  return (
    `llama.cpp has the same weights in a file of its own, ${storedAs[dtype]}, the embedding too, and is ` +
    `fed the same ids; it keeps keys and values in half precision (ours: in 32 bits), and rounds in ` +
    `its own way: its ids are its own and are not compared.`
  );
}

function runtimeVersion(): string {
  // The runtime's own copy: nobody else need see one.
  const runtime = createRequire(import.meta.url).resolve("@streamgauge/runtime/package.json");
  const require = createRequire(runtime);
  const { version } = require("onnxruntime-node/package.json") as { version: string };
  return version;
}
