import { createHash } from "node:crypto";
import { pageGenerator } from "../files/own-files.js";
import { escapeXml } from "../text/html-text.js";
import { pageStyle } from "./page-style.js";

/** What a page consists of. All but the title is HTML. */
export interface PageParts {
  /** Not escaped yet. */
  readonly title: string;
  /** Within the header, under the heading. */
  readonly about: string;
  readonly heading: string;
  /** Where a reader without a pointer may go at once. */
  readonly skip: { readonly id: string; readonly text: string };
  /** A link for each section: its id and its name. */
  readonly sections: readonly (readonly [id: string, name: string])[];
  readonly main: string;
  readonly footer: string;
  /** A script, and what it works on. */
  readonly script?: { readonly text: string; readonly data: string };
}

/** A page in one file. It asks nothing of a network, and its own policy forbids it to. */
export function htmlPage(parts: PageParts): string {
  const { title, about, heading, skip, sections, main, footer, script } = parts;
  const links = sections.map(([id, name]) => `<a href="#${id}">${name}</a>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${pageGenerator}
<meta http-equiv="Content-Security-Policy" content="${policyOf(script?.text)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${escapeXml(title)}</title>
<style>${pageStyle()}</style>
</head>
<body>
<a class="skip" href="#${skip.id}">${skip.text}</a>
<header>
<h1>${heading}</h1>
${about}
</header>
<nav aria-label="Contents">${links.join(" ")}</nav>
<main>
${main}
</main>
<footer class="muted"><p>${footer}</p></footer>
${script === undefined ? "" : scripts(script)}</body>
</html>
`;
}

function policyOf(script: string | undefined): string {
  const policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";
  if (script === undefined) return policy;
  const digest = createHash("sha256").update(script).digest("base64");
  return `${policy}; script-src 'sha256-${digest}'`;
}

function scripts({ text, data }: NonNullable<PageParts["script"]>): string {
  return `<div id="tip" hidden></div>
<script type="application/json" id="blocks">${data}</script>
<script>${text}</script>
`;
}
