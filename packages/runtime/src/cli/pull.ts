import { Command, Option } from "commander";
import { modelDtypes, type ModelDtype } from "../onnx/model-dtype.js";
import { createBytesDisplay, megabytes } from "./bytes-display.js";
import { interruptible } from "./interruptible.js";

interface PullFlags {
  readonly dtype?: ModelDtype;
  readonly revision?: string;
  readonly tokenEnv?: string;
  readonly endpoint?: string;
  readonly cache?: string;
}

/** The `pull` command: a model from a hub, by its name. */
export function pullCommand(): Command {
  return new Command("pull")
    .description("Download a model from Hugging Face's hub into the cache that its own tools use.")
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
  const display = createBytesDisplay(process.stderr);
  const pulled = await interruptible(
    async (signal) => {
      const { pullModel } = await import("../hub/pull.js");
      return await pullModel({
        name,
        ...flags,
        signal,
        onProgress: ({ file, doneBytes, totalBytes }) =>
          display.update(doneBytes, totalBytes, file),
      });
    },
    { display, message: "Interrupted. The same command goes on from here." },
  );
  if (pulled === undefined) return;
  const { folder, files, totalBytes, downloadedBytes } = pulled;
  process.stdout.write(
    `${name}: ${files.length} files, ${megabytes(totalBytes)}, of which ${megabytes(downloadedBytes)} ` +
      `were downloaded\n${folder}\n`,
  );
}
