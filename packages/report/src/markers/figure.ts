import type { ResultRecord } from "@streamgauge/bench/record";

/** What a marker can ask for. */
export interface Figure {
  /** One line, for the list of figures. */
  readonly about: string;
  /** `text` is escaped by whoever writes it into a document; the others are Markdown. */
  readonly form: "text" | "link" | "block";
  /** Values that a marker has to give. */
  readonly needs: readonly string[];
  /** Values that it may give, beside `from`, which every figure takes. */
  readonly takes?: readonly string[];
  /** What stands there as long as no committed record has the part that `from=` names. */
  readonly untilMeasured?: string;
  /** @throws UnavailableFigureError where the record has no such thing */
  readonly render: (request: FigureRequest) => string;
}

/** A marker's question. */
export interface FigureRequest {
  readonly record: ResultRecord;
  /** Of the record's file. */
  readonly path: string;
  /** A value that the marker gives; empty where it may be left out and is. */
  readonly value: (name: string) => string;
  /** A file as the document links to it. */
  readonly link: (path: string) => string;
  /** A chart of the report's record, or of the newest other that has it: the file and its words. */
  readonly chart: (name: string) => string;
}

/** A figure that cannot be given: no such figure, or the record lacks it. The message says the remedy. */
export class UnavailableFigureError extends Error {
  override readonly name = "UnavailableFigureError";
}

/** Says what a record lacks, and which values it has. */
export function lacks({ path }: FigureRequest, what: string, there: readonly string[] = []): never {
  const shown = there.slice(0, 20).join(", ") + (there.length > 20 ? ", …" : "");
  throw new UnavailableFigureError(
    `${path} has no ${what}${shown === "" ? "" : `; it has ${shown}`}. ` +
      `Ask for another, name a record by from=, or give another by --record.`,
  );
}

/** A value that is one of a few words. */
export function oneOf<Word extends string>(
  request: FigureRequest,
  name: string,
  words: readonly Word[],
): Word {
  const given = request.value(name);
  const word = words.find((candidate) => candidate === given);
  if (word === undefined) {
    throw new UnavailableFigureError(
      `${name}=${given === "" ? "…" : given} is none of ${words.join(", ")}.`,
    );
  }
  return word;
}

/** A value that is a whole number, and what it is where it is left out. */
export function countOf(request: FigureRequest, name: string, otherwise: number): number {
  const given = request.value(name);
  if (given === "") return otherwise;
  if (!/^\d+$/.test(given)) {
    throw new UnavailableFigureError(`${name}=${given} is no whole number.`);
  }
  return Number(given);
}

/** A value that is several, with commas between; none where it is left out. */
export function listIn(request: FigureRequest, name: string): readonly string[] {
  return request
    .value(name)
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
