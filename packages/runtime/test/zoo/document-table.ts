import { readFile, writeFile } from "node:fs/promises";

const file = new URL("../../../../docs/model-layouts.md", import.meta.url);

/**
 * docs/model-layouts.md as it is, and with a table as it should be; with `UPDATE_DOCUMENTS=1` it is
 * written. The formatter leaves this file alone: padded cells would make it four times as large.
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
  return { found: isAsked ? text : before, expected: text };
}
