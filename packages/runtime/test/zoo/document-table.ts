import { readFile, writeFile } from "node:fs/promises";

const file = new URL("../../../../docs/model-layouts.md", import.meta.url);

/**
 * A table of docs/model-layouts.md as the file has it and as it should be, without the formatter's
 * padding; with `UPDATE_DOCUMENTS=1` it is written.
 *
 * @param mark the table stands between `<!-- mark -->` and `<!-- /mark -->`
 */
export async function documentTable(
  mark: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<{ readonly found: string; readonly expected: string }> {
  const before = await readFile(file, "utf8");
  const lines = [header, header.map(() => "---"), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
  const text = before.replace(
    new RegExp(`(<!-- ${mark} -->\n)[^]*(<!-- /${mark} -->)`),
    (_, start: string, end: string) => `${start}\n${lines.join("\n")}\n\n${end}`,
  );
  const isAsked = process.env["UPDATE_DOCUMENTS"] !== undefined;
  if (isAsked) await writeFile(file, text);
  return { found: squeezed(isAsked ? text : before), expected: squeezed(text) };
}

/** The formatter pads cells. */
function squeezed(markdown: string): string {
  return markdown.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
}
