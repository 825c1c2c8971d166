import { StreamgaugeError, type ChatMessage } from "@streamgauge/core";

/** Spellings of special tokens, as far as marking a conversation needs them. */
export class SpecialSpellings {
  /** The code units that they begin with. */
  readonly beginnings: ReadonlySet<string>;
  /** What is left of them behind their first code units, by the code unit that it begins with. */
  readonly #rests = new Map<string, string[]>();

  constructor(spellings: readonly string[]) {
    this.beginnings = new Set(spellings.map((spelling) => spelling.charAt(0)));
    for (const spelling of spellings) {
      for (let i = 1; i < spelling.length; i++) {
        const alike = this.#rests.get(spelling.charAt(i)) ?? [];
        alike.push(spelling.slice(i));
        this.#rests.set(spelling.charAt(i), alike);
      }
    }
  }

  /** Whether the text goes on, or is in the midst of, what a text before it may have begun. */
  goesOn(text: string): boolean {
    const rests = this.#rests.get(text.charAt(0)) ?? [];
    return rests.some((rest) => text.startsWith(rest) || rest.startsWith(text));
  }
}

/** What is written down, and where in it a mark stood: before these code units, in order. */
export interface UnmarkedText {
  readonly text: string;
  readonly offsets: readonly number[];
}

/**
 * Marks in the messages of one conversation that go through its chat template, and tell
 * afterwards which spellings of special tokens came from the messages. A mark is one
 * character that is nowhere in the messages. It stands before everything that a spelling
 * can begin with, so that no cutting and joining by the template makes one that has none;
 * and at the beginning of a message that could go on with what the template began.
 * Whatever has no mark before it and none in it is the template's.
 */
export class ContentMarks {
  readonly #mark: string;
  readonly #spellings: SpecialSpellings;

  /** @throws StreamgaugeError `INVALID_PROMPT` when no character is free to be the mark */
  constructor(messages: readonly ChatMessage[], spellings: SpecialSpellings) {
    this.#mark = chooseMark(messages);
    this.#spellings = spellings;
  }

  /** The messages with their marks. Most have none. */
  markMessages(messages: readonly ChatMessage[]): ChatMessage[] {
    return messages.map(({ role, content }) => ({
      // Templates put tokens together around a role.
      role: this.#markBeginnings(role),
      content: this.protect(content),
    }));
  }

  /** A text without marks as one of a message, with all its marks. */
  protect(text: string): string {
    // Templates strip messages: the beginning is that of what remains.
    const start = text.length - text.trimStart().length;
    const core = text.slice(start).trimEnd();
    const isEdge = core !== "" && !this.#spellings.beginnings.has(core.charAt(0));
    const edge = isEdge && this.#spellings.goesOn(core) ? this.#mark : "";
    return text.slice(0, start) + edge + this.#markBeginnings(text.slice(start));
  }

  /** What to look for in a marked text to find this, which the template has without marks. */
  search(text: string, sought: string): string {
    const marked = sought.charAt(0) + this.#markBeginnings(sought.slice(1));
    return text.includes(marked) ? marked : sought;
  }

  has(text: string): boolean {
    return text.includes(this.#mark);
  }

  /** A text as it is without marks. */
  reveal(text: string): string {
    return text.replaceAll(this.#mark, "");
  }

  /** The text without marks at its end: what they stood before has been taken away. */
  dropLast(text: string): string {
    let end = text.length;
    while (text[end - 1] === this.#mark) end -= 1;
    return text.slice(0, end);
  }

  /** Takes the marks out of what the template wrote. */
  read(marked: string): UnmarkedText {
    const pieces = marked.split(this.#mark);
    const offsets: number[] = [];
    let length = 0;
    for (const piece of pieces.slice(0, -1)) offsets.push((length += piece.length));
    return { text: pieces.join(""), offsets };
  }

  #markBeginnings(text: string): string {
    const { beginnings } = this.#spellings;
    let marked = "";
    for (const unit of text.split("")) marked += beginnings.has(unit) ? this.#mark + unit : unit;
    return marked;
  }
}

/** Noncharacters, which no text should have, and then characters without a meaning of their own. */
const candidates = /[\uFDD0-\uFDEF\uE000-\uF8FF]/g;
const ranges = [
  [0xfdd0, 0xfdef],
  [0xe000, 0xf8ff],
] as const;

function chooseMark(messages: readonly ChatMessage[]): string {
  const used = new Set<string>();
  for (const { role, content } of messages) {
    for (const [character] of (role + content).matchAll(candidates)) used.add(character);
  }
  for (const [first, last] of ranges) {
    for (let code = first; code <= last; code++) {
      const mark = String.fromCharCode(code);
      if (!used.has(mark)) return mark;
    }
  }
  throw new StreamgaugeError(
    "INVALID_PROMPT",
    `The messages have every character of Unicode's private use area, so that none is left to ` +
      `mark what is theirs, as "plainPrompt" needs: remove one of them from the messages.`,
  );
}
