import {
  Environment,
  Interpreter,
  parse,
  tokenize,
  type Program,
  type Statement,
  type Value,
} from "./jinja.js";
import type { ContentMarks } from "./content-marks.js";
import type { TemplateBudget } from "./template-budget.js";
import {
  areEqual,
  attributeOf,
  callWithMarks,
  occurrences,
  range,
  remainder,
  spell,
  strftimeNow,
  strip,
  toArray,
  toValue,
  undefinedValue,
} from "./template-values.js";

/** What this module looks into of the library's nodes, by their `type`. */
interface Node extends Statement {
  /** What a "Given" stands for. */
  readonly given: Value;
  /** The name of an identifier, or the node of a keyword argument. */
  readonly value: unknown;
  readonly expression: Statement;
  readonly operator: { readonly value: string };
  readonly left: Statement;
  readonly right: Statement;
  readonly operand: Statement;
  readonly filter: Node;
  readonly callee: Node;
  readonly key: Node;
  readonly object: Statement;
  readonly property: Node;
  readonly computed: boolean;
  readonly args: readonly Node[];
  body: Statement[];
  readonly alternate: Statement[];
  readonly defaultBlock: Statement[];
}

/** What a template gets besides the conversation. */
export type TemplateVariables = Readonly<Record<string, unknown>>;

/**
 * Parses a template as transformers does, and prepares it for {@link render}.
 *
 * @throws Error when it does not parse
 */
export function parseTemplate(source: string): Program {
  // Jinja reads every form of newline as "\n" before anything else.
  const normal = source.replace(/\r\n?/g, "\n");
  const program = parse(tokenize(normal, { lstrip_blocks: true, trim_blocks: true }));
  prepare(program.body);
  return program;
}

/**
 * What a prepared template writes.
 *
 * @param marks those in the messages, if they have any: the template's decisions are what
 *   they would be without them
 * @throws TemplateBudgetExceeded when it does more than the budget allows
 * @throws Error when it fails
 */
export function render(
  program: Program,
  variables: TemplateVariables,
  budget: TemplateBudget,
  marks?: ContentMarks,
): string {
  const environment = new Environment();
  const named = { true: true, false: false, none: null, True: true, False: false, None: null };
  const all = { ...named, range, strftime_now: (format: string) => strftimeNow(format) };
  for (const [name, value] of Object.entries({ ...all, ...variables }))
    environment.set(name, value);
  return spell(new BoundedInterpreter(environment, budget, marks).run(program));
}

/** Marks what is written out, and gives each turn of a loop its own scope. */
function prepare(body: Statement[]): void {
  for (const [i, statement] of body.entries()) {
    const node = statement as Node;
    for (const inner of [node.body, node.alternate, node.defaultBlock]) {
      if (Array.isArray(inner)) prepare(inner);
    }
    if (node.type === "For") node.body = [makeNode("Turn", { body: node.body })];
    if (!silent.has(node.type)) body[i] = makeNode("Output", { expression: node });
  }
}

/** Statements that write by themselves or not at all. */
const silent = new Set(
  "If For Set Macro FilterStatement StringLiteral Comment Break Continue".split(" "),
);

/** Operations that make a value rather than find one. */
const making = new Set(
  "BinaryExpression FilterExpression FilterStatement CallExpression If For Turn Output".split(" "),
);

/** Methods of texts that make texts, and keep the marks in them; others see none. */
const marking = new Set(
  "strip lstrip rstrip split replace upper lower title capitalize".split(" "),
);

/** The library recognises its nodes by their class, which it does not export. */
function makeNode(type: string, fields: object): Statement {
  return Object.assign(parse([]), { type, ...fields });
}

/** A value in a node's place: the operand of an operation, once it is known. */
function nodeOf(value: Value): Node {
  return { type: "Given", given: value } as Node;
}

/**
 * The library's interpreter within a budget, and nearer to Python's Jinja where
 * it would write another prompt without a word: equality, remainders, what
 * `strip` takes off, tests of attributes that are not there, how nothing and
 * truth are spelt, what a loop's turn leaves behind.
 */
class BoundedInterpreter extends Interpreter {
  readonly #budget: TemplateBudget;
  readonly #marks: ContentMarks | undefined;

  constructor(environment: Environment, budget: TemplateBudget, marks: ContentMarks | undefined) {
    super(environment);
    this.#budget = budget;
    this.#marks = marks;
  }

  override evaluate(statement: Statement | undefined, environment: Environment): Value {
    const node = statement as Node | undefined;
    if (node?.type === "Given") return node.given;
    this.#budget.step();
    const value = this.#evaluate(node, environment);
    this.#budget.pay(value, node !== undefined && making.has(node.type));
    return value;
  }

  #evaluate(node: Node | undefined, environment: Environment): Value {
    switch (node?.type) {
      case "Turn":
        this.#budget.turn();
        return super.evaluate({ ...node, type: "Program" }, new Environment(environment));
      case "Output":
        return toValue(
          this.#spell(this.#beforeOthers(this.evaluate(node.expression, environment))),
        );
      case "BinaryExpression":
        return this.#operate(node, environment);
      case "FilterExpression":
        return this.#filter(this.evaluate(node.operand, environment), node.filter, environment);
      case "FilterStatement": {
        const written = super.evaluate({ ...node, type: "Program" }, environment);
        return this.#filter(written, node.filter, environment);
      }
      case "MemberExpression":
        return this.#member(node, environment);
      default:
        return super.evaluate(node, environment);
    }
  }

  /** The value as it is without marks, where it is a text that has some. */
  #reveal(value: Value): Value {
    const text = value.value;
    if (typeof text !== "string" || this.#marks?.has(text) !== true) return value;
    return toValue(this.#marks.reveal(text));
  }

  /** The value as it comes before others: a mark at its end would pass for one of theirs. */
  #beforeOthers(value: Value): Value {
    const text = value.value;
    if (typeof text !== "string" || this.#marks?.has(text) !== true) return value;
    return toValue(this.#marks.dropLast(text));
  }

  #spell(value: Value): string {
    this.#budget.requireSpelling(value);
    return spell(value);
  }

  #operate(node: Node, environment: Environment): Value {
    const operator = node.operator.value;
    if (operator === "and" || operator === "or") return super.evaluate(node, environment);
    const isJoining = operator === "+" || operator === "~";
    const operandOf = (side: Statement): Value => {
      const value = this.evaluate(side, environment);
      return isJoining ? this.#beforeOthers(value) : this.#reveal(value);
    };
    const left = operandOf(node.left);
    const right = operandOf(node.right);
    const onCompare = (): void => this.#budget.step();
    if (operator === "==") return toValue(areEqual(left, right, onCompare));
    if (operator === "!=") return toValue(!areEqual(left, right, onCompare));
    if (operator === "~") return toValue(this.#spell(left) + this.#spell(right));
    if (operator === "%" && left.type === "IntegerValue" && right.type === "IntegerValue") {
      return toValue(remainder(left.value as number, right.value as number));
    }
    if (operator === "+" && (left.type === "StringValue") !== (right.type === "StringValue")) {
      throw new Error(`"+" joins a text and no text: ${left.type} and ${right.type}`);
    }
    return super.evaluate(
      { ...node, left: nodeOf(left), right: nodeOf(right) } as Statement,
      environment,
    );
  }

  #filter(operand: Value, filter: Node, environment: Environment): Value {
    const hasArguments = filter.type === "CallExpression";
    const name = String(hasArguments ? filter.callee.value : filter.value);
    const nodes = hasArguments ? this.#settle(filter.args, environment) : [];
    const positional = nodes.filter(({ type }) => type === "Given").map(({ given }) => given);
    const keyword = new Map(
      nodes
        .filter(({ type }) => type === "KeywordArgumentExpression")
        .map(({ key, value }) => [String(key.value), (value as Node).given]),
    );
    const elements = Array.isArray(operand.value) ? (operand.value as Value[]) : undefined;
    if (elements !== undefined && (name === "selectattr" || name === "rejectattr")) {
      const [attribute, ...test] = positional;
      const passes = (element: Value): boolean =>
        this.#passes(attributeOf(element, attribute), test, environment);
      return toArray(elements.filter((element) => passes(element) === (name === "selectattr")));
    }
    if (elements !== undefined && name === "join") {
      const separator = positional[0] ?? keyword.get("d") ?? keyword.get("separator");
      const between = separator === undefined ? "" : spell(separator);
      this.#budget.require(between.length * elements.length);
      this.#budget.requireSpelling(operand);
      return toValue(elements.map((element) => spell(this.#beforeOthers(element))).join(between));
    }
    if (name === "length" || name === "count") operand = this.#reveal(operand);
    this.#requireExpansion(operand, name, positional, keyword);
    const settled = hasArguments ? { ...filter, args: nodes } : filter;
    const expression = { type: "FilterExpression", operand: nodeOf(operand), filter: settled };
    return super.evaluate(expression, environment);
  }

  /** Arguments with their values known, so that no operation computes them again. */
  #settle(args: readonly Node[], environment: Environment): Node[] {
    return args.map((argument) => {
      if (argument.type === "KeywordArgumentExpression") {
        const value = this.evaluate(argument.value as Node, environment);
        return { ...argument, value: nodeOf(value) };
      }
      if (/Spread/.test(argument.type)) return argument;
      return nodeOf(this.evaluate(argument, environment));
    });
  }

  /** What is not there is undefined, and can be tested for that. */
  #passes(value: Value, [test, ...others]: readonly Value[], environment: Environment): boolean {
    if (test === undefined) return value.__bool__().value;
    const check = environment.tests.get(spell(test));
    if (check === undefined) throw new Error(`Unknown test: ${spell(test)}`);
    this.#budget.step();
    return check(value, ...others);
  }

  /** Throws before the library makes more of a value than there is room for. */
  #requireExpansion(
    operand: Value,
    name: string,
    positional: readonly Value[],
    keyword: ReadonlyMap<string, Value>,
  ): void {
    const text = typeof operand.value === "string" ? operand.value : undefined;
    const numberOf = (value: Value | undefined): number =>
      typeof value?.value === "number" ? Math.max(0, value.value) : 0;
    if (name === "tojson" || name === "string") {
      this.#budget.requireSpelling(operand, numberOf(keyword.get("indent")));
    } else if (text !== undefined && name === "indent") {
      const width = numberOf(positional[0] ?? keyword.get("width"));
      this.#budget.require(text.length + width * (occurrences(text, "\n") + 1));
    } else if (text !== undefined && name === "replace") {
      this.#requireReplacing(text, positional);
    } else if (text !== undefined && name === "join") {
      this.#budget.require(text.length * (1 + spell(positional[0] ?? undefinedValue).length));
      this.#budget.requireElements(text.length);
    }
  }

  #requireReplacing(text: string, [from, to]: readonly Value[]): void {
    if (typeof from?.value !== "string" || typeof to?.value !== "string") return;
    this.#budget.require(text.length + occurrences(text, from.value) * to.value.length);
  }

  #member(node: Node, environment: Environment): Value {
    const given = this.evaluate(node.object, environment);
    const isMethod = !node.computed && marking.has(String(node.property.value));
    const object = isMethod ? given : this.#reveal(given);
    const isSlice = node.property.type === "SliceExpression";
    const property =
      node.computed && !isSlice ? nodeOf(this.evaluate(node.property, environment)) : node.property;
    const settled = { ...node, object: nodeOf(object), property } as Statement;
    const found = super.evaluate(settled, environment);
    if (isSlice) this.#budget.pay(found, true);
    if (isSlice && object !== given) return toValue(this.#marks?.protect(spell(found)));
    if (typeof object.value !== "string" || found.type !== "FunctionValue") return found;
    const name = property.type === "Given" ? spell(property.given) : String(property.value);
    return this.#method(object.value, name, found);
  }

  /** A method of a text: Python's where the library's differs, within the budget where it makes more. */
  #method(text: string, name: string, method: Value): Value {
    switch (name) {
      case "strip":
        return toValue((characters?: string) => strip(text, "both", characters));
      case "lstrip":
        return toValue((characters?: string) => strip(text, "left", characters));
      case "rstrip":
        return toValue((characters?: string) => strip(text, "right", characters));
      case "replace":
      case "split": {
        const call = method.value as (args: Value[], environment: Environment) => Value;
        const guarded: typeof call = (args, environment) => {
          if (name === "replace") this.#requireReplacing(text, args);
          else this.#requireSplitting(text, args);
          if (this.#marks?.has(text) !== true) return call(args, environment);
          return callWithMarks(call, text, args, environment, this.#marks);
        };
        return Object.assign(
          toValue(() => undefined),
          { value: guarded },
        );
      }
      default:
        return method;
    }
  }

  #requireSplitting(text: string, [separator]: readonly Value[]): void {
    const pieces =
      typeof separator?.value === "string" ? occurrences(text, separator.value) : text.length / 2;
    this.#budget.requireElements(pieces);
  }
}
