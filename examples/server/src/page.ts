import { readFile } from "node:fs/promises";

/** One file of the page, ready to be sent. */
export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
}

/** The page may load and ask nothing but this server, and no other page may frame it. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

const files = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
] as const;

/** Reads the page's files, once. The keys are their paths on the server. */
export async function readPage(): Promise<ReadonlyMap<string, PageFile>> {
  return new Map(
    await Promise.all(
      files.map(async ([path, name, contentType]): Promise<[string, PageFile]> => {
        const body = await readFile(new URL(`../page/${name}`, import.meta.url));
        return [path, { contentType, body }];
      }),
    ),
  );
}
