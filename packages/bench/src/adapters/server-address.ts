import { invalidOption } from "@streamgauge/core";

/** Where requests go, and what of it may be shown. */
export interface ServerAddress {
  /** With the query that the user gave, and without the name and password. */
  readonly url: string;
  /** For messages: without query, name and password, any of which can be a secret. */
  readonly shown: string;
  /** Of a name and password in the address; undefined without them. */
  readonly authorization: string | undefined;
  /** Parts of the address that nobody may see. */
  readonly secrets: readonly string[];
}

/**
 * Appends a path to the address of a server.
 *
 * @param baseURL such as `https://example.org/v1?api-version=1`
 * @param path without a slash before it
 * @throws StreamgaugeError `INVALID_OPTION`, without the address where it has secrets
 */
export function addressOf(baseURL: string, path: string): ServerAddress {
  if (!URL.canParse(baseURL) || !/^https?:$/.test(new URL(baseURL).protocol)) {
    // What is no address can still hold a password or a key.
    const shown = /[@?]/.test(baseURL) ? "no http or https address" : JSON.stringify(baseURL);
    throw invalidOption(
      `The baseURL is ${shown}; it must be an http or https address, such as ` +
        `"http://127.0.0.1:8000/v1".`,
    );
  }
  const url = new URL(baseURL);
  const { username, password } = url;
  const authorization =
    username === "" && password === ""
      ? undefined
      : `Basic ${Buffer.from(`${decode(username)}:${decode(password)}`).toString("base64")}`;
  url.username = url.password = url.hash = "";
  const secrets = [username, decode(username), password, decode(password), authorization ?? ""];
  for (const value of url.searchParams.values()) secrets.push(value, encodeURIComponent(value));
  const shown = `${url.origin}${url.pathname.replace(/\/+$/, "")}/${path}`;
  return { url: `${shown}${url.search}`, shown, authorization, secrets: worthHiding(secrets) };
}

/** Those that are long enough to be secrets, the longest first: one can be in another. */
export function worthHiding(secrets: readonly string[]): readonly string[] {
  return [...new Set(secrets)]
    .filter(({ length }) => length >= shortestSecret)
    .toSorted((first, second) => second.length - first.length);
}

/** Text without the secrets in it. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((hidden, secret) => hidden.replaceAll(secret, "…"), text);
}

/** Shorter ones, such as "none", are placeholders, and hiding them would spoil other words. */
const shortestSecret = 5;

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
