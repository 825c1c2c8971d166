/**
 * What of a sequence the next one may go on from: all that was run; only what
 * was run of its prompt; or nothing. Of a graph whose layers keep states of fixed size: all of
 * either, and no part.
 */
export type PrefixReuse = "sequences" | "prompts" | "off";
