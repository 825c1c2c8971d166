import * as library from "@huggingface/jinja";

// The library's declarations name their modules without an extension, which TypeScript cannot
// follow here. These are the parts of them that are used.

/** What templates compute with; `type` names the kind. */
export interface Value {
  readonly type: string;
  readonly value: unknown;
  toString(): string;
  __bool__(): { readonly value: boolean };
}

/** A scope of variables. */
export interface Environment {
  readonly tests: ReadonlyMap<string, (...values: Value[]) => boolean>;
  /** Declares a variable, and returns what templates see of it. Functions get JavaScript values. */
  set(name: string, value: unknown): Value;
}

/** A node of a parsed template; `type` names the kind. */
export interface Statement {
  readonly type: string;
}

export interface Program extends Statement {
  readonly body: Statement[];
}

export interface Interpreter {
  run(program: Program): Value;
  /** The library calls this for every node below the one it is called with. */
  evaluate(statement: Statement | undefined, environment: Environment): Value;
}

interface Library {
  readonly Environment: new (parent?: Environment) => Environment;
  readonly Interpreter: new (environment: Environment) => Interpreter;
  readonly parse: (tokens: readonly unknown[]) => Program;
  readonly tokenize: (
    source: string,
    options: { readonly lstrip_blocks: boolean; readonly trim_blocks: boolean },
  ) => readonly unknown[];
}

const typed = library as unknown as Library;

export const Environment: Library["Environment"] = typed.Environment;
export const Interpreter: Library["Interpreter"] = typed.Interpreter;
export const parse: Library["parse"] = typed.parse;
export const tokenize: Library["tokenize"] = typed.tokenize;
