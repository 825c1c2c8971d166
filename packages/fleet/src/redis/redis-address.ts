import { invalidOption } from "@streamgauge/core";

/** Where a Redis server is. */
export interface RedisAddress {
  /** With user and password: for the client alone. */
  readonly url: string;
  /** Without them: for messages. */
  readonly shown: string;
}

/**
 * Reads the address of a Redis server, as `redis://host:6379/0` or `rediss://` for TLS.
 *
 * @throws StreamgaugeError `INVALID_OPTION`, which never repeats the text: it can hold a password
 */
export function parseRedisAddress(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === "") {
    throw invalidOption(
      "The address of Redis is none; it must be one such as redis://host:6379, or rediss:// for TLS.",
    );
  }
  const path = /^\/\d+$/.test(url.pathname) ? url.pathname : "";
  return { url: text, shown: `${url.protocol}//${url.host}${path}` };
}
