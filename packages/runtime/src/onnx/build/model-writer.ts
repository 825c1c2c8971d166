import type { ResolvedBuildTarget } from "./build-options.js";
import type { TensorGroup } from "./graph-builder.js";
import { writeModelFiles, type WrittenGroup } from "./model-file.js";
import type { ModelLayout } from "./model-layout.js";
import type { WeightSource } from "./weight-source.js";

/** Writes a model in one of the formats. */
export interface ModelWriter {
  /** For each file with weights what it takes of a checkpoint. */
  readonly tensorGroups: readonly (readonly TensorGroup[])[];
  /** Files of a checkpoint that are taken along unchanged where present. */
  readonly companions: readonly string[];
  /** Everything that a build in this format may have put into a folder. */
  readonly entries: readonly string[];
  /** @param openWeights gives the weights from the beginning, once for each file */
  write(folder: string, openWeights: () => WeightSource): Promise<void>;
}

/** A file with weights and where everything in it goes. */
export interface FilePlan {
  /** For progress. */
  readonly file: string;
  readonly layout: ModelLayout;
  readonly tensorGroups: readonly WrittenGroup[];
}

/** Writes files one after the other, and reports how far all of them are. */
export async function writePlans(
  plans: readonly FilePlan[],
  openWeights: () => WeightSource,
  { onProgress, signal }: Pick<ResolvedBuildTarget, "onProgress" | "signal">,
): Promise<void> {
  const totalBytes = plans.reduce((sum, { layout }) => sum + layout.totalBytes, 0);
  let doneBytes = 0;
  for (const { file, layout, tensorGroups } of plans) {
    await writeModelFiles(layout, tensorGroups, openWeights(), (tensor, writtenBytes) => {
      signal?.throwIfAborted();
      onProgress({ file, tensor, writtenBytes: doneBytes + writtenBytes, totalBytes });
    });
    doneBytes += layout.totalBytes;
  }
}
