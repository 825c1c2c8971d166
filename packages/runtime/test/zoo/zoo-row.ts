/** A way in which public exporters lay out a decoder, as a tiny model with random weights. */
export interface ZooRow {
  /** What is special about it, for the table. */
  readonly name: string;
  /** Who writes such graphs. */
  readonly seenIn: string;
  /** Writes the model's folder, without a tokenizer. */
  readonly write: (folder: string) => Promise<void>;
  readonly vocabulary: number;
  readonly contextLength: number;
  /** Right ids however it is run; or refused at loading, with this code and words. */
  readonly expected: "right" | { readonly code: string; readonly says: RegExp };
  /** Whether transformers.js loads the folder. */
  readonly transformers: boolean;
}
