/**
 * What of a sequence the next one may go on from: all that was run; only what
 * was run of its prompt; or nothing.
 */
export type PrefixReuse = "sequences" | "prompts" | "off";
