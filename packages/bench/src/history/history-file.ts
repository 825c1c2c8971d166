import { mkdir, readFile, readdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, StreamgaugeError } from "@streamgauge/core";
import { workspaceRoot } from "../run/record-file.js";
import { parseHistoryLine, type HistoryLine } from "./history-line.js";

/** The lines of one class of machines, in the order in which commits were added. */
export interface MachineHistory {
  readonly machine: string;
  readonly lines: readonly HistoryLine[];
}

/** `results/history` of the workspace that holds `from`, or of `from` itself. */
export function defaultHistoryFolder(from: string = process.cwd()): string {
  return join(workspaceRoot(from) ?? from, "results", "history");
}

/**
 * Reads every history of a folder, by name; none where there is no such folder.
 *
 * @throws StreamgaugeError `INVALID_RECORD` naming the file and the line
 */
export async function readHistories(folder: string): Promise<MachineHistory[]> {
  const names = await readdir(folder).catch(nothingWhereThereIsNone([]));
  const files = names.filter((name) => name.endsWith(".jsonl")).toSorted();
  return await Promise.all(
    files.map(async (name) => {
      const machine = name.slice(0, -".jsonl".length);
      return { machine, lines: await readHistoryFile(folder, machine) };
    }),
  );
}

/**
 * Adds a line to the history of its machine class; a commit that is there already
 * stays as it was added first.
 *
 * @returns the file, and whether the line was added
 * @throws StreamgaugeError `INVALID_RECORD` where the file is damaged: nothing is written then
 */
export async function addToHistory(
  folder: string,
  line: HistoryLine,
): Promise<{ readonly path: string; readonly added: boolean }> {
  const path = pathOf(folder, line.machine);
  const lines = await readHistoryFile(folder, line.machine);
  if (lines.some(({ commit }) => commit === line.commit)) return { path, added: false };
  await mkdir(folder, { recursive: true });
  // As a whole, so that a crash leaves no half of a line.
  const text = [...lines, line].map((each) => `${JSON.stringify(each)}\n`).join("");
  await writeFile(`${path}.tmp`, text);
  await rename(`${path}.tmp`, path);
  return { path, added: true };
}

async function readHistoryFile(folder: string, machine: string): Promise<HistoryLine[]> {
  const path = pathOf(folder, machine);
  const text = await readFile(path, "utf8").catch(nothingWhereThereIsNone(""));
  const lines: HistoryLine[] = [];
  const lineOfCommit = new Map<string, number>();
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    // After the last line break.
    if (content === "") continue;
    const refuse = (reason: string, cause?: unknown): never => {
      throw new StreamgaugeError(
        "INVALID_RECORD",
        `${path}, line ${index + 1}: ${reason}. Restore the file from git, or delete the line and add its record again.`,
        { cause },
      );
    };
    const line = orRefuse(content, refuse);
    if (line.machine !== machine) {
      refuse(`is of machine class "${line.machine}", which this file is not of`);
    }
    const earlier = lineOfCommit.get(line.commit);
    if (earlier !== undefined) refuse(`is of the same commit as line ${earlier}`);
    lineOfCommit.set(line.commit, index + 1);
    lines.push(line);
  }
  return lines;
}

function orRefuse(
  content: string,
  refuse: (reason: string, cause?: unknown) => never,
): HistoryLine {
  try {
    return parseHistoryLine(content);
  } catch (error) {
    return refuse(messageOf(error), error);
  }
}

function pathOf(folder: string, machine: string): string {
  return join(folder, `${machine}.jsonl`);
}

function nothingWhereThereIsNone<T>(nothing: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return nothing;
    throw error;
  };
}
