/**
 * Text from outside without the characters that a terminal obeys or that show other text
 * than there is: control characters (escape sequences begin with one), marks that turn the
 * direction of text, and halves of surrogate pairs. Each becomes U+FFFD, so that a reader
 * sees that something was there. Tabs and line ends stay. Every writer of records, results
 * and errors calls it.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, "\uFFFD");
}

/** JSON text in which those characters are written as escapes, so that none is lost. */
export function printableJson(json: string): string {
  return json.replaceAll(
    unprintable,
    (character) => String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

const unprintable = /(?![\t\n\r])[\p{Cc}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;
