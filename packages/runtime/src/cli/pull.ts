import { Command, Option } from "commander";
import type { PulledModel } from "../hub/pull.js";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { createBytesDisplay, megabytes } from "./bytes-display.js";

interface PullFlags {
  readonly dtype?: ModelDtype;
  readonly revision?: string;
  readonly tokenEnv?: string;
  readonly endpoint?: string;
  readonly cache?: string;
}

/** 128 + the number of the signal, as shells have it. */
const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** The `pull` command: a model from a hub, by its name. */
export function pullCommand(): Command {
  return new Command("pull")
    .description("Download a model from Hugging Face's hub into the cache of its own tools.")
    .argument("<name>", "owner/name, as the hub writes it, or owner/name@revision")
    .addOption(
      new Option(
        "--dtype <name>",
        "which graph (default: what config.json says, or else fp32)",
      ).choices(modelDtypes),
    )
    .option("--revision <name>", "a branch, a tag or a commit (default: main)")
    .option("--token-env <name>", "environment variable with the token (default: HF_TOKEN)")
    .option("--endpoint <url>", "another hub (default: HF_ENDPOINT, or https://huggingface.co)")
    .option("--cache <folder>", "another cache (default: by HF_HUB_CACHE and HF_HOME, as usual)")
    .addHelpText(
      "after",
      `
Downloads one graph with its weights, and the files that say how to use it. Compares sizes and hashes
with the hub's. Checks and keeps files that are there; after Ctrl-C the same command goes on.
No other command downloads anything.

Examples:
  $ streamgauge pull HuggingFaceTB/SmolLM2-135M-Instruct --dtype q4
  $ streamgauge generate "Once upon a time" --model hub:HuggingFaceTB/SmolLM2-135M-Instruct --dtype q4`,
    )
    .action(pull);
}

async function pull(name: string, flags: PullFlags): Promise<void> {
  const interrupt = new AbortController();
  let interruptedBy: keyof typeof exitCodes | undefined;
  const onSignal = (signal: keyof typeof exitCodes): void => {
    interruptedBy = signal;
    interrupt.abort();
  };
  const display = createBytesDisplay(process.stderr);
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  let pulled: PulledModel;
  try {
    const { pullModel } = await import("../hub/pull.js");
    pulled = await pullModel({
      name,
      ...flags,
      signal: interrupt.signal,
      onProgress: ({ file, doneBytes, totalBytes }) => display.update(doneBytes, totalBytes, file),
    });
  } catch (error) {
    if (interruptedBy === undefined || error !== interrupt.signal.reason) throw error;
    display.stop();
    process.stderr.write("Interrupted. The same command goes on from here.\n");
    process.exitCode = exitCodes[interruptedBy];
    return;
  } finally {
    display.stop();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
  const { folder, files, totalBytes, downloadedBytes } = pulled;
  process.stdout.write(
    `${name}: ${files.length} files, ${megabytes(totalBytes)}, of which ${megabytes(downloadedBytes)} ` +
      `were downloaded\n${folder}\n`,
  );
}
