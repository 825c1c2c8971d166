import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { InvalidImportError, type ForeignResult } from "../imports/foreign-result.js";
import { renderImport } from "../imports/import-table.js";

/** `streamgauge-report import`: another tool's result under our definitions. */
export function importCommand(): Command {
  return new Command("import")
    .description(
      "Print a result of vLLM, AIPerf or GuideLLM under our definitions, beside its own.",
    )
    .argument("<file>", "the tool's result file")
    .showHelpAfterError("Add --help for the files that can be read.")
    .addHelpText(
      "after",
      `
What the file does not tell is not recomputed, and the table says why.

Files: vLLM's --save-result --save-detailed JSON; AIPerf's profile_export.jsonl (every
request) or profile_export_aiperf.json (summaries); GuideLLM's benchmarks.json.`,
    )
    .action(async (file: string) => {
      process.stdout.write((await importFile(file)).map(renderImport).join("\n"));
    });
}

async function importFile(file: string): Promise<ForeignResult[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new InvalidImportError(`There is no readable file ${file}.`, { cause });
  }
  // With its schemas: other commands should not wait for them.
  const { readForeign } = await import("../imports/read-foreign.js");
  try {
    return readForeign(text);
  } catch (error) {
    if (!(error instanceof InvalidImportError)) throw error;
    throw new InvalidImportError(`${file}: ${error.message}`, { cause: error });
  }
}
