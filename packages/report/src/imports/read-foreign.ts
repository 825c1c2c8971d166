import {
  looksLikeAiperfLine,
  looksLikeAiperfSummary,
  parseAiperfLines,
  parseAiperfSummary,
} from "./aiperf-result.js";
import { isJsonObject, parseForeignJson } from "./foreign-json.js";
import { InvalidImportError, type ForeignResult } from "./foreign-result.js";
import { looksLikeGuidellm, parseGuidellm } from "./guidellm-result.js";
import { looksLikeServing, parseServing } from "./vllm-result.js";

/**
 * The measurements in the text of a result file of vLLM, SGLang, AIPerf or GuideLLM;
 * which of them wrote it is seen from its fields. Files to which each run added a line
 * give a result for each.
 *
 * @throws InvalidImportError naming what is wrong, and the files that can be read
 */
export function readForeign(text: string): ForeignResult[] {
  const { values, isLines } = parseForeignJson(text);
  const [first] = values;
  if (isJsonObject(first) && looksLikeAiperfLine(first)) return [parseAiperfLines(values)];
  const results = values.flatMap((value, index) => {
    if (isJsonObject(value)) {
      if (looksLikeGuidellm(value)) return parseGuidellm(value);
      if (looksLikeServing(value)) return [numbered(parseServing(value), index, values.length)];
      if (looksLikeAiperfSummary(value)) return [parseAiperfSummary(value)];
    }
    throw unknownFile(isLines ? `Line ${index + 1}` : "This");
  });
  if (results.length === 0) throw unknownFile("This");
  return results;
}

/** Of several runs in one file, says which one it is. */
function numbered(result: ForeignResult, index: number, count: number): ForeignResult {
  if (count === 1) return result;
  const which = `run ${index + 1} of ${count}`;
  return { ...result, title: result.title === "" ? which : `${result.title}, ${which}` };
}

function unknownFile(what: string): InvalidImportError {
  return new InvalidImportError(
    `${what} is no result of a tool that can be read. Give vLLM's \`--save-result --save-detailed\` ` +
      `JSON, SGLang's \`--output-file --output-details\` JSON lines, AIPerf's profile_export.jsonl or ` +
      `profile_export_aiperf.json, or GuideLLM's benchmarks.json.`,
  );
}
