import { failedMeasurement, failureShape } from "../../record/failure.js";
import { generatorDescription } from "../../record/generator.js";
import { cellIdentityShape, type CellIdentity } from "../../record/identity.js";
import { measurementsShape } from "../../record/measurements.js";
import {
  array,
  nullable,
  number,
  object,
  oneOf,
  oneOfKinds,
  optional,
  partial,
  string,
  type Check,
} from "../../record/shape.js";
import { warmUp } from "../../record/warm-up.js";
import type { CellPart } from "../../measure/experiment.js";
import type { Measurements } from "../../plan/stage.js";
import type { PartDocument, PartEntry } from "./recorded-part.js";

const plan: Check<CellIdentity & { readonly blocks: number }> = object({
  ...cellIdentityShape,
  blocks: number,
});

const part: Check<CellPart> = object({
  process: number,
  status: oneOf("running", "complete", "interrupted", "failed"),
  blocks: number,
  warmUp,
  failure: nullable(object(failureShape)),
  promptTokens: nullable(number),
});

const measurements: Check<Measurements> = object({
  ...partial(measurementsShape),
  failedMeasurements: optional(array(failedMeasurement)),
});

const entry: Check<PartEntry> = oneOfKinds("generator, cell, measurement or file", {
  generator: object({ kind: oneOf("generator"), generator: generatorDescription }),
  cell: object({ kind: oneOf("cell"), plan, part, file: nullable(string) }),
  measurement: object({ kind: oneOf("measurement"), id: string, measurements }),
  file: object({ kind: oneOf("file"), name: string, file: string }),
});

/** Checks a {@link PartDocument}, down to every field. */
export const partDocument: Check<PartDocument> = object({
  format: oneOf("streamgauge/part"),
  version: oneOf(1),
  runId: string,
  process: number,
  entries: array(entry),
  peakResidentBytes: number,
});
