import { InvalidRecordError } from "@streamgauge/bench/record";
import { printable } from "@streamgauge/bench/tables";
import { isStreamgaugeError } from "@streamgauge/core";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Command, InvalidArgumentError } from "commander";
import { findNewestRecord, readRecord, samplesReader } from "../files/find-record.js";
import type { ExportedFile, StreamedFile } from "../formats/exported-file.js";
import { exportFormats, type ExportFormat } from "../formats/export-formats.js";

interface ExportFlags {
  readonly format?: ExportFormat;
  readonly record?: string;
  readonly out?: string;
  readonly list?: true;
}

/** `streamgauge-report export`: a record in a format that other tools read. */
export function exportCommand(): Command {
  const command = new Command("export")
    .description("Write a result record in a format that other tools read.")
    .option("--format <name>", "which one; see --list", formatNamed)
    .option("--record <path>", "the record's file or folder (default: the newest under results/)")
    .option("--out <path>", "the file, or the folder if a format has several files")
    .option("--list", "print the formats")
    .showHelpAfterError("Add --help for the options and examples.")
    .addHelpText(
      "after",
      `
A format of one text file goes to standard output without --out.

Examples:
  $ streamgauge-report export --list
  $ streamgauge-report export --format xlsx --out results.xlsx
  $ streamgauge-report export --format parquet --out data
  $ streamgauge-report export --format junit --record results/reference`,
    );
  return command.action(async (flags: ExportFlags) => {
    if (flags.list === true) {
      process.stdout.write(formatList());
      return;
    }
    const { format, out } = flags;
    if (format === undefined) {
      return command.error("error: --format is missing; --list prints the formats");
    }
    const isSingle = "render" in format;
    if (out === undefined && (!isSingle || format.isBinary === true)) {
      const what = isSingle ? "file" : "folder";
      return command.error(`error: ${format.name} needs --out <${what}>`);
    }
    const found =
      flags.record === undefined
        ? await findNewestRecord("results", tell)
        : await readRecord(flags.record);
    if (isSingle) {
      const content = await format.render(found.record);
      if (out === undefined) {
        process.stdout.write(content);
        return;
      }
      await written(command, out, writeFile(out, content));
    } else if (out !== undefined) {
      const writing =
        "renderFiles" in format
          ? write(out, await format.renderFiles(found.record))
          : writeStreamed(
              out,
              await format.streamFiles({ record: found.record, readSamples: samplesReader(found) }),
            );
      await written(command, out, writing);
    }
    tell(`Wrote ${out} from ${found.path}.`);
  });
}

/** Waits for a write; where it fails, says why and ends the command. What the record lacks is thrown. */
async function written(command: Command, path: string, writing: Promise<void>): Promise<void> {
  try {
    await writing;
  } catch (error) {
    if (error instanceof InvalidRecordError || isStreamgaugeError(error)) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    command.error(`error: cannot write ${path}: ${reason}`);
  }
}

async function write(folder: string, files: readonly ExportedFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, content } of files) {
    await writeFile(join(folder, name), content);
  }
}

/** Writes each file as it is made. A file under its name is whole. */
async function writeStreamed(folder: string, files: readonly StreamedFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, content } of files) {
    const path = join(folder, name);
    const temporary = `${path}.tmp`;
    try {
      await pipeline(content, createWriteStream(temporary));
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

function formatNamed(name: string): ExportFormat {
  const format = exportFormats.find((candidate) => candidate.name === name);
  if (format !== undefined) return format;
  throw new InvalidArgumentError(
    `There are: ${exportFormats.map((candidate) => candidate.name).join(", ")}.`,
  );
}

function formatList(): string {
  const width = Math.max(...exportFormats.map(({ name }) => name.length));
  return exportFormats
    .map(({ name, description }) => `${name.padEnd(width)}  ${description}\n`)
    .join("");
}

function tell(message: string): void {
  process.stderr.write(`${printable(message)}\n`);
}
