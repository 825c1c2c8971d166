import { invalidOption } from "@streamgauge/core";

/** An endpoint that an agent may load: no message can name another. */
export interface AgentEndpoint {
  readonly url: string;
  /** Environment variable of the agent that holds its key. */
  readonly keyEnv?: string | undefined;
}

/** @throws StreamgaugeError `INVALID_OPTION`, which never repeats the text: it can hold a key */
export function requireEndpoint({ url, keyEnv }: AgentEndpoint): void {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw invalidOption(
      "--url is no http or https address; it must be one such as http://127.0.0.1:8000/v1.",
    );
  }
  if (keyEnv === undefined || /^[A-Za-z_]\w*$/.test(keyEnv)) return;
  throw invalidOption(
    "--key-env takes the name of an environment variable, in letters, digits and underscores, and " +
      "not the key itself.",
  );
}
