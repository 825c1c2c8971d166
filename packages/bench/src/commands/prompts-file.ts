import { extname } from "node:path";
import { invalidOption, resolvePrompt, type Prompt } from "@streamgauge/core";
import { mapLines, readText } from "../load/file-lines.js";

/**
 * Reads prompts from a file. In `.jsonl` and `.ndjson` each line is an object with `prompt`
 * (a text) or `messages` (a conversation); in any other file each line is a prompt. Empty
 * lines are passed over.
 *
 * @throws StreamgaugeError `INVALID_OPTION` naming the file and the line
 */
export async function readPrompts(path: string): Promise<readonly Prompt[]> {
  const text = await readText(path, "file of prompts");
  const parse = [".jsonl", ".ndjson"].includes(extname(path).toLowerCase())
    ? parseLine
    : (line: string): Prompt => line;
  const prompts = mapLines(text, path, parse);
  if (prompts.length === 0) throw invalidOption(`${path} has no prompts: write one on each line.`);
  return prompts;
}

function parseLine(line: string): Prompt {
  const json: unknown = JSON.parse(line);
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw notAPrompt();
  const fields = Object.keys(json);
  const { prompt, messages } = json as Record<string, unknown>;
  if (fields.length !== 1) throw notAPrompt();
  if (typeof prompt === "string") return resolvePrompt(prompt);
  if (messages !== undefined) return resolvePrompt({ messages } as Prompt);
  throw notAPrompt();
}

function notAPrompt(): Error {
  return new TypeError(
    'A line is an object with one field: "prompt", a text, or "messages", an array of { role, content }.',
  );
}
