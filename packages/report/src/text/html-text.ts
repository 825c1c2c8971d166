import { printable, printableJson } from "@streamgauge/bench/tables";

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for the content and the quoted attributes of XML and HTML, from strings that anybody may have chosen. */
export function escapeXml(text: string): string {
  return printable(text)
    .replaceAll(/[&<>"']/g, (character) => entities[character] ?? "")
    .replaceAll(/[\uFFFE\uFFFF]/g, "\uFFFD");
}

/** JSON for a `<script type="application/json">`: nothing in it can end the element. */
export function jsonForScript(value: unknown): string {
  return printableJson(JSON.stringify(value))
    .replaceAll("<", String.raw`\u003c`)
    .replaceAll("\u2028", String.raw`\u2028`)
    .replaceAll("\u2029", String.raw`\u2029`);
}
