import { StreamgaugeError, messageOf } from "@streamgauge/core";
import type { HubName } from "./hub-name.js";

/** Where requests go, and for whom. */
export interface HubAccess {
  /** Without a slash at the end. */
  readonly endpoint: string;
  /** Sent to the endpoint's origin alone, and in no message. */
  readonly token: string | undefined;
  /** The variable that the token is taken from, for messages. */
  readonly tokenName: string;
  readonly model: HubName;
  readonly signal: AbortSignal | undefined;
}

/**
 * A `fetch` whose answers are good ones; redirects are followed.
 *
 * It rejects with StreamgaugeErrors: `HUB_DENIED` for 401 and 403, `MODEL_NOT_FOUND` for 404, and
 * `HUB_FAILED` for other answers and for none; and with the signal's reason.
 */
export function createHubFetch(access: HubAccess): typeof fetch {
  const { endpoint, token, signal } = access;
  const { origin } = new URL(endpoint);
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = new Headers(init?.headers);
    // A list's next page may be anywhere. A redirect elsewhere drops this header by itself.
    if (token !== undefined && url.origin === origin) {
      headers.set("authorization", `Bearer ${token}`);
    }
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers, signal: signal ?? null });
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable(endpoint, cause);
    }
    if (response.ok) return response;
    // Its connection is free again only then.
    await response.body?.cancel().catch(() => undefined);
    throw refusal(access, response);
  };
}

/** For a hub that does not answer, or whose answer breaks off. */
export function unreachable(endpoint: string, cause: unknown): StreamgaugeError {
  const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  return new StreamgaugeError(
    "HUB_FAILED",
    `${endpoint} cannot be reached, or broke off (${messageOf(reason) || messageOf(cause)}). Look at the ` +
      `network and at --endpoint, and pull again: what has arrived is kept.`,
    { cause },
  );
}

/** For an answer that no hub gives. */
export function notAHub(endpoint: string, what: string, cause?: unknown): StreamgaugeError {
  return new StreamgaugeError(
    "HUB_FAILED",
    `${endpoint} does not answer as a hub does: ${what}. A login page or a proxy may answer in its ` +
      `place: look at --endpoint (or HF_ENDPOINT).`,
    { cause },
  );
}

function refusal(access: HubAccess, { status, headers }: Response): StreamgaugeError {
  const { endpoint, token, tokenName, model } = access;
  const answer = `${endpoint} answers ${status} for ${model.name}`;
  if (status === 401 || status === 403) {
    const conditions = `accept its conditions at ${endpoint}/${model.name}, if it has any`;
    const remedy =
      token === undefined
        ? `There is no such model, or it needs a token: look at the name, and set ${tokenName} (or another ` +
          `variable, named by --token-env) to a token that may read it`
        : `The token in ${tokenName} may not read it, or there is no such model: look at both`;
    return new StreamgaugeError("HUB_DENIED", `${answer}. ${remedy}; ${conditions}.`);
  }
  if (status === 404) {
    return new StreamgaugeError(
      "MODEL_NOT_FOUND",
      `${answer} at ${model.revision}: it has no such model, revision or file. Look at the name and at ` +
        `--revision.`,
    );
  }
  if (status === 429) {
    const after = headers.get("retry-after");
    const when = after !== null && /^\d+$/.test(after) ? `in ${after} seconds` : "in some minutes";
    return new StreamgaugeError(
      "HUB_FAILED",
      `${answer}: it was asked too often. Pull again ${when}${token === undefined ? "; with a token it allows more" : ""}. ` +
        `What has arrived is kept.`,
    );
  }
  return new StreamgaugeError(
    "HUB_FAILED",
    `${answer}. Pull again later: what has arrived is kept.`,
  );
}
