import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ResultRecord } from "@streamgauge/bench/record";
import { readRecord } from "@streamgauge/report";
import {
  analysisAmong,
  describeProblems,
  readDocuments,
  writeDocuments,
  type MarkedDocument,
} from "../src/markers/documents.js";
import { fixtureRecord } from "./fixture.js";
import { wholeRecord } from "./whole-record.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "streamgauge-documents-"));
  await putRecord("mine", await fixtureRecord());
  await put(
    "README.md",
    "It costs <!-- sg:overhead cell=pequod-pooled-10 mode=stream -->4 %<!-- /sg -->.\n\n" +
      "See <!-- sg:record --><!-- /sg -->.\n",
  );
  await put(
    "packages/core/src/generator.ts",
    "export interface A {\n  /**\n   * <!-- sg:performance-note mode=stream -->\n   * <!-- /sg -->\n   */\n  a: 1;\n}\n",
  );
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function put(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
}

async function putRecord(name: string, record: ResultRecord): Promise<void> {
  await put(`results/${name}/record.json`, JSON.stringify(record));
}

async function look(): Promise<{ documents: readonly MarkedDocument[]; problems: string[] }> {
  const report = await readRecord(join(folder, "results/mine/record.json"));
  const documents = await readDocuments(folder, report);
  return { documents, problems: describeProblems(documents, report) };
}

describe("marked documents", () => {
  it("are filled, and stay as they are the next time", async () => {
    const written = await writeDocuments((await look()).documents);
    expect(written).toEqual([
      join(folder, "README.md"),
      join(folder, "packages/core/src/generator.ts"),
    ]);
    const readme = await readFile(join(folder, "README.md"), "utf8");
    expect(readme).toContain("-->0.8 % (0.5 to 1.1)<!-- /sg -->.");
    expect(readme).toContain("[mine](results/mine)");
    const again = await look();
    expect(again.problems).toEqual([]);
    expect(await writeDocuments(again.documents)).toEqual([]);
    expect(await readFile(join(folder, "README.md"), "utf8")).toBe(readme);
  });

  it("are named with file, line, marker and remedy where a number was edited by hand", async () => {
    await writeDocuments((await look()).documents);
    const readme = await readFile(join(folder, "README.md"), "utf8");
    await put("README.md", readme.replace("0.8 %", "0.7 %"));
    const { problems } = await look();
    expect(problems).toEqual([
      `${join(folder, "README.md")}:1: <!-- sg:overhead cell=pequod-pooled-10 mode=stream --> is not what the record says.\n` +
        "- 0.7 % (0.5 to 1.1)\n+ 0.8 % (0.5 to 1.1)\n" +
        `Fill it: pnpm report --record ${join(folder, "results/mine/record.json")}`,
    ]);
  });

  it("name the line of a block that differs", async () => {
    await writeDocuments((await look()).documents);
    const path = "packages/core/src/generator.ts";
    const text = await readFile(join(folder, path), "utf8");
    await put(path, text.replace("0.8 %", "0.7 %"));
    const { problems } = await look();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/generator\.ts:3: .*\n- .*0\.7 %.*\n\+ .*0\.8 %/);
  });

  it("name what the record lacks, and markers that are none", async () => {
    await put(
      "README.md",
      "a <!-- sg:cost cell=moby mode=stream -->1<!-- /sg --> b\n\nc <!-- sg:date -->2 d\n",
    );
    const { problems } = await look();
    expect(problems.slice(0, 2)).toEqual([
      expect.stringMatching(/README\.md:1: <!-- sg:cost .*has no cell moby; it has pequod/s),
      expect.stringMatching(/README\.md:3: <!-- sg:date -->\nIt is not closed/),
    ]);
  });

  it("quote committed records only, and borrow a chart that the report's record has not", async () => {
    const asked =
      "a <!-- sg:record from=ledger --><!-- /sg -->\n\n<!-- sg:chart name=token-ledger -->\n<!-- /sg -->\n";
    await put("docs/STREAMING_PERFORMANCE.md", asked);
    await putRecord("local/whole", await wholeRecord());
    expect((await look()).problems.join("\n")).toMatch(
      /from=ledger is no record.*\n[^]*No record here draws a chart "token-ledger"/,
    );
    await putRecord("whole", await wholeRecord());
    const { documents } = await look();
    const found = documents.find(({ path }) => path.endsWith("PERFORMANCE.md"));
    expect(found?.problems).toEqual([]);
    expect(found?.charts.map(({ name }) => name)).toEqual(["token-ledger"]);
    expect(found?.text).toContain("[whole](../results/whole)");
    expect(found?.text).toMatch(
      /\n!\[Where a token's time goes\. .*\]\(charts\/token-ledger\.svg\)\n/,
    );
    expect(analysisAmong(folder, documents)).toBe("docs/STREAMING_PERFORMANCE.md");
  });

  it("need not be there", async () => {
    await rm(join(folder, "README.md"));
    await put("packages/core/src/generator.ts", "export {};\n");
    expect(await look()).toEqual({ documents: [], problems: [] });
  });
});
