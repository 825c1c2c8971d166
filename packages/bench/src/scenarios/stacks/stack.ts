import type { StreamToken, TokenStream } from "@streamgauge/core";
import type { ChatServer } from "./chat-server.js";
import type { LoadLibrary, Libraries } from "./libraries.js";

/** Something that carries a stream of tokens from whoever makes them to whoever reads text. */
export interface Stack {
  /** Unique. */
  readonly name: string;
  /** The stack whose cost is subtracted; it stands before this one in the list. */
  readonly against: string | null;
  /** The package that it needs, and whose version is recorded. */
  readonly library: keyof Libraries | null;
  /** Whether tokens come from {@link StackSetting.server}. */
  readonly socket: boolean;
  /** Loads what it needs. @throws what makes it impossible here */
  readonly open: (setting: StackSetting) => Promise<RunStack>;
}

/** What a stack may use. */
export interface StackSetting {
  readonly load: LoadLibrary;
  readonly server: () => Promise<ChatServer>;
  /** Of the known tokens, by their ids; empty where an id has none. */
  readonly vocabulary: readonly string[];
}

/** Carries all tokens of a source. Resolves when the stack has ended; `take` gets its text, in order. */
export type RunStack = (source: TokenSource, take: (text: string) => void) => Promise<void>;

/** The tokens of one run. */
export interface TokenSource {
  readonly tokens: number;
  /** Starts to make them, in this process. Once. */
  readonly stream: () => TokenStream;
  /** A token's text; notes when it was made. To be called once for each token. */
  readonly textOf: (token: StreamToken) => string;
}
