import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildRandomModel, type BuildDtype, type LlamaShape } from "@streamgauge/runtime/onnx";
import { onTestFinished, vi } from "vitest";

const shape: LlamaShape = {
  vocabularySize: 96,
  hiddenSize: 32,
  intermediateSize: 48,
  layers: 1,
  attentionHeads: 2,
  keyValueHeads: 1,
  headDimension: 16,
  contextLength: 64,
  normEpsilon: 1e-5,
  ropeTheta: 10_000,
  tiedEmbeddings: true,
};

/** A hub's cache, as `streamgauge pull` leaves it where no links are allowed. */
export interface HubCache {
  readonly folder: string;
  /**
   * Puts a model with random weights there, of one layer and without a tokenizer.
   *
   * @param name `owner/name`
   * @param revision which is that commit from then on
   * @returns the folder that opens
   */
  add(name: string, commit: string, options?: AddedModel): Promise<string>;
}

export interface AddedModel {
  /** Default: "main". */
  readonly revision?: string;
  /** Tells models apart. Default: 96. */
  readonly vocabularySize?: number;
  /** Default: fp32 alone. */
  readonly dtypes?: readonly BuildDtype[];
}

/** An empty cache, which is the one that the runtime reads until the test ends. */
export async function makeHubCache(): Promise<HubCache> {
  const cache = await mkdtemp(join(tmpdir(), "streamgauge-hub-"));
  vi.stubEnv("HF_HUB_CACHE", cache);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await rm(cache, { recursive: true, force: true });
  });
  return {
    folder: cache,
    async add(name, commit, { revision = "main", vocabularySize = 96, dtypes } = {}) {
      const repository = join(cache, ["models", ...name.split("/")].join("--"));
      const out = join(repository, "snapshots", commit);
      await buildRandomModel({
        shape: { ...shape, vocabularySize },
        seed: 7,
        out,
        ...(dtypes !== undefined && { dtypes }),
      });
      await mkdir(join(repository, "refs"), { recursive: true });
      await writeFile(join(repository, "refs", revision), commit);
      return out;
    },
  };
}
