import { constants } from "node:buffer";
import { readFile, stat } from "node:fs/promises";
import { Command } from "commander";
import { InvalidImportError, type ForeignResult } from "../imports/foreign-result.js";
import { renderImport } from "../imports/import-table.js";

/** `streamgauge-report import`: another tool's result under our definitions. */
export function importCommand(): Command {
  return new Command("import")
    .description(
      "Print a result of vLLM, SGLang, AIPerf or GuideLLM under our definitions, beside its own.",
    )
    .argument("<file>", "the tool's result file")
    .showHelpAfterError("Add --help for the files that can be read.")
    .addHelpText(
      "after",
      `
If the file lacks a value, or has an impossible one, the table says so and why it is not computed again.

Files: vLLM's --save-result --save-detailed JSON, with --append-result, too; SGLang's
bench_serving --output-file --output-details; AIPerf's profile_export.jsonl (every request) or
profile_export_aiperf.json (summaries); GuideLLM's benchmarks.json. None may be larger than
${mebibytes(constants.MAX_STRING_LENGTH)} MiB.`,
    )
    .action(async (file: string) => {
      process.stdout.write((await importFile(file)).map(renderImport).join("\n"));
    });
}

async function importFile(file: string): Promise<ForeignResult[]> {
  const text = await readText(file);
  // With its schemas: other commands should not wait for them.
  const { readForeign } = await import("../imports/read-foreign.js");
  try {
    return readForeign(text);
  } catch (error) {
    if (!(error instanceof InvalidImportError)) throw error;
    throw new InvalidImportError(`${file}: ${error.message}`, { cause: error });
  }
}

async function readText(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    const { size } = await stat(file);
    if (size > constants.MAX_STRING_LENGTH) throw tooLarge(file, size);
    bytes = await readFile(file);
  } catch (cause) {
    if (cause instanceof InvalidImportError) throw cause;
    throw new InvalidImportError(`There is no readable file ${file}.`, { cause });
  }
  // PowerShell's ">" writes UTF-16, with a mark at its beginning.
  return bytes.toString(bytes[0] === 0xff && bytes[1] === 0xfe ? "utf16le" : "utf8");
}

function tooLarge(file: string, size: number): InvalidImportError {
  return new InvalidImportError(
    `${file} has ${mebibytes(size)} MiB, and Node.js reads a text of at most ` +
      `${mebibytes(constants.MAX_STRING_LENGTH)} MiB. Give fewer of its lines ` +
      `(\`head -n 10000\`), or a run of fewer requests.`,
  );
}

function mebibytes(bytes: number): string {
  return Math.ceil(bytes / 2 ** 20).toFixed(0);
}
