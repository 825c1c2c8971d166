import type { Value } from "./jinja.js";

/** How much one rendering may do besides what the conversation's own length calls for. */
const mostSteps = 2 ** 21;
const mostUnits = 2 ** 24;
/** What each message, and each character of the messages, adds. */
const stepsPerMessage = 2 ** 10;
const unitsPerCharacter = 64;
/** A turn of a loop costs the library as much as a few operations, before its body does anything. */
const stepsPerTurn = 8;
/** What an element of an array takes, counted in characters. */
const unitsPerElement = 16;
/** Looking through this many characters counts as one more step. */
const charactersPerStep = 256;
/** The longest that one character gets when it is spelt in JSON: `\u0000`. */
const longestEscape = 6;

/** A template did more than any template has to. */
export class TemplateBudgetExceeded extends Error {}

/**
 * What a template may still do. Counted, not timed, so that a template does not
 * depend on the machine. It bounds memory too: nothing is made that was not
 * paid for, and what a library's loop is going to make is asked for before.
 */
export class TemplateBudget {
  #steps: number;
  #units: number;

  constructor(messages: readonly { readonly content: string }[]) {
    const characters = messages.reduce((sum, { content }) => sum + content.length, 0);
    this.#steps = mostSteps + stepsPerMessage * messages.length;
    this.#units = mostUnits + unitsPerCharacter * characters;
  }

  step(count = 1): void {
    this.#steps -= count;
    if (this.#steps < 0) throw exceeded("loops without end");
  }

  turn(): void {
    this.step(stepsPerTurn);
  }

  /** Pays for looking at a value, and for its room when it is new. */
  pay(value: Value, isNew: boolean): void {
    const units = roomOf(value);
    this.step(Math.floor(units / charactersPerStep));
    if (!isNew) return;
    this.require(units);
    this.#units -= units;
  }

  /** Throws when there is not as much left. */
  require(units: number): void {
    if (units > this.#units) throw exceeded("writes without end");
  }

  /** Throws when there is no room for an array of so many elements. */
  requireElements(count: number): void {
    this.require(count * unitsPerElement);
  }

  /**
   * Throws when a value, spelt with all it holds, is longer than what is left:
   * one that holds another twice is spelt twice.
   *
   * @param indent characters before each element, for each level
   */
  requireSpelling(value: Value, indent = 0): void {
    this.require(this.#spelling(value, indent, 1));
  }

  #spelling(value: Value, indent: number, level: number): number {
    this.step();
    let length = unitsPerElement + indent * level;
    for (const element of elementsOf(value)) length += this.#spelling(element, indent, level + 1);
    if (typeof value.value === "string") length += longestEscape * value.value.length;
    return length;
  }
}

function exceeded(what: string): TemplateBudgetExceeded {
  return new TemplateBudgetExceeded(`it ${what}, or nearly so`);
}

function roomOf({ value }: Value): number {
  if (typeof value === "string") return value.length;
  if (Array.isArray(value)) return value.length * unitsPerElement;
  return value instanceof Map ? value.size * unitsPerElement : 0;
}

function elementsOf({ value }: Value): Iterable<Value> {
  if (Array.isArray(value)) return value as Value[];
  return value instanceof Map ? (value as Map<string, Value>).values() : [];
}
