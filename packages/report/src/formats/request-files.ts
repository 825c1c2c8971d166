import type { ResultRecord } from "@streamgauge/bench/record";
import { fileName, json, withUniqueNames, type ExportedFile } from "./exported-file.js";
import { modeKeys, streamedRequests, type MeasuredMode } from "./measured-modes.js";

/**
 * A JSON file for each streaming mode of each cell that runs one generation at a time.
 *
 * @param suffix the end of their names, before `.json`
 */
export function requestFiles(
  record: ResultRecord,
  suffix: string,
  contentOf: (mode: MeasuredMode) => unknown,
): ExportedFile[] {
  return withUniqueNames(
    streamedRequests(record).map((mode) => ({
      name: fileName([mode.cell.id, modeKeys[mode.treatment], suffix], "json"),
      content: json(contentOf(mode)),
    })),
  );
}
