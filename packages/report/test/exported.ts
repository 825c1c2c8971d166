import type { ResultRecord } from "@streamgauge/bench/record";
import {
  exportFormats,
  type ExportedFile,
  type ExportFormat,
  type ReadSamples,
  type StreamedFile,
} from "@streamgauge/report";
import { fixtureRecord } from "./fixture.js";
import { wholeRecord } from "./whole-record.js";

/** Every file of a format, by its name in the list. @param readSamples without it there are none */
export async function exportedFiles(
  name: string,
  record: ResultRecord,
  readSamples?: ReadSamples,
): Promise<readonly ExportedFile[]> {
  const format = exportFormats.find((candidate) => candidate.name === name);
  if (format === undefined) throw new Error(`There is no format ${name}.`);
  return await filesOf(format, record, readSamples);
}

/** Every file of a format. */
export async function filesOf(
  format: ExportFormat,
  record: ResultRecord,
  readSamples: ReadSamples = () => Promise.resolve([]),
): Promise<readonly ExportedFile[]> {
  if ("renderFiles" in format) return await format.renderFiles(record);
  if ("render" in format) return [{ name: format.name, content: await format.render(record) }];
  return await Promise.all((await format.streamFiles({ record, readSamples })).map(whole));
}

async function whole({ name, content }: StreamedFile): Promise<ExportedFile> {
  const pieces: (string | Uint8Array)[] = [];
  for await (const piece of content) pieces.push(piece);
  const isText = pieces.every((piece) => typeof piece === "string");
  return {
    name,
    content: isText ? pieces.join("") : Buffer.concat(pieces.map((piece) => Buffer.from(piece))),
  };
}

/** The only file of a text format. */
export async function exportedText(name: string, record: ResultRecord): Promise<string> {
  const [file] = await exportedFiles(name, record);
  if (typeof file?.content !== "string") throw new Error(`${name} is no text.`);
  return file.content;
}

/** The whole record, with histograms that can be decoded. */
export async function exportableRecord(): Promise<ResultRecord> {
  const record = await wholeRecord();
  const [{ histogram } = { histogram: "" }] = (await fixtureRecord()).cells[0]?.distributions ?? [];
  return {
    ...record,
    cells: record.cells.map((cell) => ({
      ...cell,
      distributions: cell.distributions.map((of) =>
        of.metric === "callbackTime" ? { ...of, histogram } : of,
      ),
    })),
  };
}
