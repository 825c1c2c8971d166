import {
  looksLikeAiperfLine,
  looksLikeAiperfSummary,
  parseAiperfLines,
  parseAiperfSummary,
} from "./aiperf-result.js";
import { InvalidImportError, type ForeignResult } from "./foreign-result.js";
import { looksLikeGuidellm, parseGuidellm } from "./guidellm-result.js";
import { looksLikeVllm, parseVllm } from "./vllm-result.js";

/**
 * The measurements in the text of a result file of vLLM, AIPerf or GuideLLM; which
 * of them wrote it is seen from its fields.
 *
 * @throws InvalidImportError naming what is wrong, and the files that can be read
 */
export function readForeign(text: string): ForeignResult[] {
  const whole = parseJson(text);
  if (isObject(whole)) {
    if (looksLikeGuidellm(whole)) return parseGuidellm(whole);
    if (looksLikeVllm(whole)) return [parseVllm(whole)];
    if (looksLikeAiperfLine(whole)) return [parseAiperfLines([whole])];
    if (looksLikeAiperfSummary(whole)) return [parseAiperfSummary(whole)];
  }
  if (whole === undefined) {
    const lines = text
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map(parseJson);
    const [first] = lines;
    if (isObject(first) && looksLikeAiperfLine(first)) return [parseAiperfLines(lines)];
  }
  throw new InvalidImportError(
    `This is ${whole === undefined ? "no JSON" : "no result"} of a tool that can be read. Give vLLM's ` +
      `\`--save-result --save-detailed\` JSON, AIPerf's profile_export.jsonl or ` +
      `profile_export_aiperf.json, or GuideLLM's benchmarks.json.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
