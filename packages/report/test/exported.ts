import type { ResultRecord } from "@streamgauge/bench/record";
import { exportFormats, type ExportedFile } from "@streamgauge/report";
import { fixtureRecord } from "./fixture.js";
import { wholeRecord } from "./whole-record.js";

/** Every file of a format, by its name in the list. */
export async function exportedFiles(
  name: string,
  record: ResultRecord,
): Promise<readonly ExportedFile[]> {
  const format = exportFormats.find((candidate) => candidate.name === name);
  if (format === undefined) throw new Error(`There is no format ${name}.`);
  if ("renderFiles" in format) return format.renderFiles(record);
  return [{ name, content: await format.render(record) }];
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
