import { join } from "node:path";
import { checkModel } from "@streamgauge/runtime";
import { buildModel, type BuildDtype } from "@streamgauge/runtime/onnx";
import { describe, expect, it } from "vitest";
import { furtherFamilies, type FamilyCheckpoint } from "./family-checkpoints.js";
import { randomWeights, writeCheckpoint } from "./random-checkpoint.js";
import { temporaryFolder } from "./temporary-folder.js";
import { foundBy, howRun } from "./zoo/check-words.js";
import { runCourse } from "./zoo/course.js";
import { documentTable } from "./zoo/document-table.js";
import { openForcedContext } from "./zoo/forced-context.js";
import type { ZooRow } from "./zoo/zoo-row.js";

// Whether the graphs compute what their families do is the matter of model-families.test.ts.

const tolerances = { fp32: 1e-4, q4: 0.1 };
const dtypes = ["fp32", "q4"] as const satisfies readonly BuildDtype[];

function rowOf(family: FamilyCheckpoint, dtype: BuildDtype): ZooRow {
  const { name, config, type, shards, seed = 5 } = family;
  return {
    name: `${name}, ${dtype}`,
    seenIn: "build-model",
    async write(folder) {
      const checkpoint = join(await temporaryFolder(), "checkpoint");
      await writeCheckpoint(checkpoint, config, randomWeights(config, type, seed), type, shards);
      await buildModel({ checkpoint, out: folder, dtypes: [dtype] });
    },
    vocabulary: config.vocab_size,
    contextLength: Number(config["max_position_embeddings"]),
    expected: "right",
    transformers: true,
  };
}

const table = new Map<string, string>();

describe.each(dtypes)("in %s, built models make the ids of a full-context run", (dtype) => {
  it.each(furtherFamilies.map((family) => [family.name, family] as const))(
    "%s",
    async (name, family) => {
      const row = rowOf(family, dtype);
      const folder = join(await temporaryFolder(), "model");
      await row.write(folder);
      const parts = await runCourse(row, folder, {
        openJudge: (place) =>
          openForcedContext(place, { border: family.border, tolerance: tolerances[dtype] }),
      });
      const check = await checkModel({ model: folder, threads: 1 });
      const { cache, together, reuse } = howRun(check);
      table.set(`${name}, ${dtype}`, `${cache}; ${together} at once; reuse: ${reuse}`);
      parts.push({ part: "check-model", found: foundBy(check) });
      expect(parts.filter(({ found }) => found !== "right")).toEqual([]);
    },
  );
});

// `UPDATE_DOCUMENTS=1 vitest run test/built-families.test.ts` writes it.
it("is what the documents say", async (context) => {
  if (table.size < furtherFamilies.length * dtypes.length) {
    return context.skip("only some of the families were run");
  }
  const rows = furtherFamilies.map(({ name, config }) => [
    name,
    (config["architectures"] as readonly string[]).join(),
    ...dtypes.map((dtype) => table.get(`${name}, ${dtype}`) ?? ""),
  ]);
  const { found, expected } = await documentTable(
    "families",
    ["checkpoint", "architecture", ...dtypes],
    rows,
  );
  expect(found).toBe(expected);
});
