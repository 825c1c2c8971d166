import { Tokenizer as HuggingFaceTokenizer } from "@huggingface/tokenizers";
import { StreamgaugeError } from "@streamgauge/core";
import { isJsonObject, type JsonObject } from "../json-object.js";
import { TimeLimitExceeded, withinTime } from "./time-limit.js";

/** A pattern takes a millisecond for all texts; one that backtracks without end, years. */
const timeLimitMilliseconds = 1_000;
/** Another try tells a machine that was busy elsewhere from a pattern without end. */
const tries = 2;
/** Long enough that doubling the work with each character does not end. */
const runLength = 48;
/** What occurs in texts, besides what the pattern itself speaks of. */
const usual = ["a", "A", "1", " ", "\n", "!", "_", "é", "字"];
/** What may come behind a run, so that a search which wants more of it fails at the end. */
const tails = ["!", "\u0000"];

/**
 * Tries each pattern of a `tokenizer.json` on texts that make patterns
 * backtrack: without this, such a pattern would block its thread for ever on a
 * prompt. It finds the usual ones, not all. The patterns have to compile.
 *
 * @throws StreamgaugeError `MODEL_UNSUPPORTED` that names the pattern
 */
export function tryPatterns(definition: JsonObject, path: string): void {
  const patterns = new Set<string>();
  for (const stage of ["normalizer", "pre_tokenizer", "decoder"]) {
    collectPatterns(definition[stage], patterns);
  }
  for (const pattern of patterns) {
    if (ends(pattern)) continue;
    throw new StreamgaugeError(
      "MODEL_UNSUPPORTED",
      `${path}: the pattern ${pattern} backtracks without end on some texts, which would block its ` +
        `worker. Use a model with another tokenizer, or mend the pattern.`,
    );
  }
}

function collectPatterns(value: unknown, patterns: Set<string>): void {
  if (Array.isArray(value)) for (const each of value) collectPatterns(each, patterns);
  if (!isJsonObject(value)) return;
  for (const [name, field] of Object.entries(value)) {
    if (name === "Regex" && typeof field === "string") patterns.add(field);
    else collectPatterns(field, patterns);
  }
}

function ends(pattern: string): boolean {
  const tokenizer = tokenizerOf(pattern);
  const texts = textsFor(pattern);
  for (let attempt = 1; attempt <= tries; attempt++) {
    try {
      withinTime(timeLimitMilliseconds, () => texts.forEach((text) => tokenizer.tokenize(text)));
      return true;
    } catch (cause) {
      if (!(cause instanceof TimeLimitExceeded)) throw cause;
    }
  }
  return false;
}

/** The library rewrites patterns, so it is the library that is tried: with a tokenizer of this pattern only. */
function tokenizerOf(pattern: string): HuggingFaceTokenizer {
  const definition = {
    normalizer: { type: "Replace", pattern: { Regex: pattern }, content: "" },
    pre_tokenizer: null,
    model: { type: "WordPiece", vocab: { "[UNK]": 0 }, unk_token: "[UNK]" },
    post_processor: null,
    decoder: null,
    added_tokens: [],
  };
  return new HuggingFaceTokenizer(definition, {});
}

/** Runs of each character that the pattern speaks of, of each two beside each other, and of all. */
function textsFor(pattern: string): string[] {
  const spoken = Array.from(pattern);
  const units = new Set([...spoken, ...usual]);
  for (const [i, character] of spoken.entries()) units.add(character + (spoken[i + 1] ?? ""));
  const runs = [...units].map((unit) => unit.repeat(runLength));
  runs.push([...units].join("").repeat(2), "aA1 ".repeat(runLength));
  return runs.flatMap((run) => tails.map((tail) => run + tail));
}
