import type { ChatPrompt, Prompt } from "@streamgauge/core";
import { createDraw, type Draw } from "../statistics/draw.js";

/** Ways to consume a stream. */
export const readers = [
  "generate",
  "callback",
  "loop",
  "result first",
  "web stream",
  "Node stream",
  "tee",
  "text stream",
  "byte stream",
] as const;
export type Reader = (typeof readers)[number];

/** What ends a worker's thread, or its engine, when a prompt of the paced engine commands it. */
export const commandedFaults = ["exit", "uncaught", "reject", "heap", "throw"] as const;

export type FaultKind =
  | (typeof commandedFaults)[number]
  /** The thread is ended from outside, between two steps. */
  | "killed"
  /** The signal is aborted after so many tokens, or after so many milliseconds. */
  | "aborted at a token"
  | "aborted at a time"
  | "deadline"
  /** The consumer leaves in its own idiom. */
  | "left"
  /** The consumer aborts or leaves when the engine is done already, and the rest waits to be read. */
  | "aborted late"
  | "left late"
  /** The consumer throws. */
  | "throwing consumer"
  /** The consumer lets go of the stream and leaves the rest to the garbage collector. */
  | "dropped unread"
  | "dropped half read";

const stepwise = readers.filter((reader) => reader !== "generate" && reader !== "result first");

const readersOf: Record<FaultKind, readonly Reader[]> = {
  exit: readers,
  uncaught: readers,
  reject: readers,
  heap: readers,
  throw: readers,
  killed: ["callback", "loop"],
  "aborted at a token": stepwise,
  "aborted at a time": readers,
  deadline: readers,
  left: stepwise,
  "aborted late": stepwise,
  "left late": stepwise,
  "throwing consumer": ["callback", "loop"],
  "dropped unread": ["loop"],
  "dropped half read": ["loop", "web stream"],
};

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Tokens before it; for "aborted at a time" and "deadline" milliseconds. */
  readonly at: number;
}

/** Texts are commands to a paced model; nobody drills with conversations. */
export type DrillPrompt = Exclude<Prompt, ChatPrompt>;

/** One stream of a drill, as plain data. */
export interface PlannedStream {
  /** Unique; also its `clientId`, by which reports are told apart. */
  readonly name: string;
  readonly reader: Reader;
  readonly prompt: DrillPrompt;
  /** A stream with a fault would go on for ever without it, unless that comes late. */
  readonly maxTokens: number;
  /** Whether the consumer takes a rest every few tokens. */
  readonly slow: boolean;
  readonly fault: PlannedFault | undefined;
}

export interface DrillPlanOptions {
  readonly seed: number;
  readonly streams: number;
  readonly faults: number;
  readonly kinds: readonly FaultKind[];
  /** Ways of reading streams. At least one of them can commit each kind of fault. */
  readonly readers: readonly Reader[];
  /** What a stream continues, and how long it may be when nothing happens to it. */
  readonly prompts: (draw: Draw) => DrillPrompt;
  readonly mostTokens: number;
  /** Latest moment of a fault that comes at a time, after the call. */
  readonly longestWaitMilliseconds: number;
  /** Most tokens of a stream that a fault has to end. */
  readonly endless: number;
  /** Most tokens that wait to be read when a fault comes late; a ring has room for half of its slots. */
  readonly mostUnread: number;
}

const mostTokensBeforeFault = 60;

/** Streams in the order in which they are asked for; every kind of fault as often as the others. */
export function planDrill(name: string, options: DrillPlanOptions): PlannedStream[] {
  const draw = createDraw(options.seed);
  const kinds = Array.from({ length: options.streams }, (_, index) =>
    index < options.faults ? options.kinds[index % options.kinds.length] : undefined,
  );
  return draw
    .shuffle(kinds)
    .map((kind, index) => planStream(`${name} ${index}`, kind, draw, options));
}

function planStream(
  name: string,
  kind: FaultKind | undefined,
  draw: Draw,
  options: DrillPlanOptions,
): PlannedStream {
  const { prompts, mostTokens, longestWaitMilliseconds, endless, mostUnread } = options;
  const slow = draw.chance(0.1);
  const prompt = prompts(draw);
  if (kind === undefined) {
    const maxTokens = draw.integer(1, mostTokens);
    return { name, reader: draw.pick(options.readers), prompt, maxTokens, slow, fault: undefined };
  }
  const isTime = kind === "deadline" || kind === "aborted at a time";
  const at = draw.integer(1, isTime ? longestWaitMilliseconds : mostTokensBeforeFault);
  return {
    name,
    reader: draw.pick(readersOf[kind].filter((reader) => options.readers.includes(reader))),
    prompt: isCommanded(kind) ? `${kind} at ${at}` : prompt,
    maxTokens: isLate(kind) ? at + draw.integer(1, mostUnread) : endless,
    slow,
    fault: { kind, at },
  };
}

/** Whether the engine has made all tokens when it happens. */
export function isLate(kind: FaultKind): boolean {
  return kind === "aborted late" || kind === "left late";
}

export function isCommanded(kind: FaultKind): kind is (typeof commandedFaults)[number] {
  return commandedFaults.some((commanded) => commanded === kind);
}
