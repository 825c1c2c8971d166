/** A text as one word of a command line, in POSIX shells and, for paths, in those of Windows. */
export function shellWord(text: string): string {
  if (/^[\w./:@%+=,\\-]+$/.test(text)) return text;
  return /["$`!\n]/.test(text) ? `'${text.replaceAll("'", String.raw`'\''`)}'` : `"${text}"`;
}
