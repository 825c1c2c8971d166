import {
  InvalidRecordError,
  type Distribution,
  type ResultRecord,
} from "@streamgauge/bench/record";
import { HistogramLogWriter, decodeFromCompressedBase64, type Histogram } from "hdr-histogram-js";
import { fileName, slug, withUniqueNames, type ExportedFile } from "./exported-file.js";
import { modeKeys } from "./measured-modes.js";

/**
 * The histogram of a distribution: nanoseconds, three significant digits.
 *
 * @throws InvalidRecordError where it cannot be decoded
 */
export function histogramOf({ histogram }: Pick<Distribution, "histogram">): Histogram {
  try {
    return decodeFromCompressedBase64(histogram, 64);
  } catch (cause) {
    throw new InvalidRecordError(
      "The record is damaged: a histogram cannot be decoded. Run the bench again, or take an intact copy.",
      { cause },
    );
  }
}

/**
 * The distributions of all cells as a HdrHistogram V2 log (`.hlog`): a line for
 * each, tagged `cell/mode/metric`. Values are nanoseconds; the column of the
 * largest is in milliseconds, as such logs have it. Every interval is the run.
 */
export function renderHistogramLog(record: ResultRecord): string {
  const lines: string[] = [];
  const writer = new HistogramLogWriter((line) => lines.push(line));
  const startSeconds = Date.parse(record.startedAt) / 1000;
  const endSeconds = record.endedAt === null ? startSeconds : Date.parse(record.endedAt) / 1000;
  writer.outputLogFormatVersion();
  // Not by the writer, which adds the local time: the same record has to give the same bytes.
  writer.outputComment(`[StartTime: ${startSeconds.toFixed(3)} (seconds since epoch)]`);
  writer.outputLegend();
  for (const { id, distributions } of record.cells) {
    for (const distribution of distributions) {
      const histogram = histogramOf(distribution);
      histogram.tag = tagOf(id, distribution);
      writer.outputIntervalHistogram(histogram, startSeconds, endSeconds, 1e6);
    }
  }
  return lines.join("");
}

/** Percentile text (`.hgrm`) of each distribution, in microseconds: a file for each. */
export function renderPercentileTexts(record: ResultRecord): ExportedFile[] {
  return withUniqueNames(
    record.cells.flatMap(({ id, distributions }) =>
      distributions.map((distribution) => ({
        name: fileName(
          [id, modeKeys[distribution.treatment], distribution.metric, "microseconds"],
          "hgrm",
        ),
        content: histogramOf(distribution).outputPercentileDistribution(5, 1000),
      })),
    ),
  );
}

function tagOf(cell: string, { treatment, metric }: Distribution): string {
  return [cell, modeKeys[treatment], metric].map(slug).join("/");
}
