import { printableJson } from "@streamgauge/bench/tables";

/** One file of an export. */
export interface ExportedFile {
  /** Safe on every file system: see {@link fileName}. */
  readonly name: string;
  readonly content: string | Uint8Array;
}

/** One file of an export that is too large to be held: it is made as it is read. */
export interface StreamedFile {
  /** Safe on every file system. */
  readonly name: string;
  /** To be read once. */
  readonly content: AsyncIterable<string | Uint8Array>;
}

/**
 * A name of a file from strings that anybody may have chosen. Only letters,
 * digits, `-`, `_` and single dots are left, so that it leads into no other folder;
 * the extension is taken as it is.
 */
export function fileName(parts: readonly string[], extension: string): string {
  return `${parts.map(slug).join(".")}.${extension}`;
}

/** A string of letters, digits, `-` and `_`, never empty; others become `-`. */
export function slug(text: string): string {
  const kept = text.replaceAll(/[^A-Za-z0-9_-]+/g, "-").slice(0, 100);
  return kept === "" ? "-" : kept;
}

/** The files again; of those with one name, letter case apart, the later ones get a number. */
export function withUniqueNames(files: readonly ExportedFile[]): ExportedFile[] {
  const taken = new Set<string>();
  return files.map((file) => {
    let { name } = file;
    for (let number = 2; taken.has(name.toLowerCase()); number += 1) {
      name = `${number}.${file.name}`;
    }
    taken.add(name.toLowerCase());
    return { ...file, name };
  });
}

/** JSON as people and `diff` read it, with a newline at its end. */
export function json(value: unknown): string {
  return `${printableJson(JSON.stringify(value, null, 2))}\n`;
}
