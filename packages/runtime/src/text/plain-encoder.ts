import type { JsonObject } from "../json-object.js";
import { SpecialSpellings, type ContentMarks, type UnmarkedText } from "./content-marks.js";
import { aliasDefinition, createAliases, type SpecialToken } from "./special-aliases.js";
import { SpellingTree } from "./spelling-tree.js";

interface AddedToken extends SpecialToken {
  readonly normalized: boolean;
}

/** What is used here of the library, whose declarations TypeScript cannot follow. */
export interface TokenizerLibrary {
  encode(text: string, options: { readonly add_special_tokens: boolean }): { ids: number[] };
  get_added_tokens_decoder(): ReadonlyMap<number, AddedToken>;
}

/** A text, and the tokenizer whose ids are to be taken for it. */
export interface Encodable {
  readonly library: TokenizerLibrary;
  readonly text: string;
}

/**
 * Gives texts ids in which special tokens stand only where they are meant.
 *
 * The library knows added tokens by their spelling, wherever they are. So a second
 * tokenizer, made when it is first needed, has other spellings for the special ones. A
 * text that is meant to have some is given those; all else in it is plain text. Added
 * tokens that are not special, such as `<think>`, are text by definition, and stay tokens.
 */
export class PlainEncoder {
  readonly #special: readonly SpecialToken[];
  readonly #library: TokenizerLibrary;
  readonly #added: SpellingTree<AddedToken>;
  readonly #aliases: ReadonlyMap<string, string>;
  /** Whether a text can become a special token's spelling by being normalised. */
  readonly #areNormalized: boolean;
  readonly #makeAliased: () => TokenizerLibrary;
  #aliased: TokenizerLibrary | undefined;
  #spellings: SpecialSpellings | undefined;

  /** @param construct makes a tokenizer of a definition */
  constructor(
    library: TokenizerLibrary,
    definition: JsonObject,
    specialIds: ReadonlySet<number>,
    construct: (definition: JsonObject) => TokenizerLibrary,
  ) {
    const added = [...library.get_added_tokens_decoder().values()];
    const special = added.filter(({ id }) => specialIds.has(id));
    this.#library = library;
    this.#added = new SpellingTree(added.map((token) => [token.content, token]));
    this.#special = special;
    this.#aliases = createAliases(special);
    const hasNormalizer = definition["normalizer"] != null;
    this.#areNormalized = hasNormalizer && special.some(({ normalized }) => normalized);
    this.#makeAliased = () => construct(aliasDefinition(definition, this.#aliases));
  }

  /** How the special tokens are spelt. */
  get spellings(): SpecialSpellings {
    return (this.#spellings ??= new SpecialSpellings(this.#special.map(({ content }) => content)));
  }

  /** A text in which every special token's spelling is plain. */
  read(text: string): Encodable {
    const isOrdinary = !this.#areNormalized && this.#findSpecial(text).length === 0;
    return { text, library: isOrdinary ? this.#library : this.#requireAliased() };
  }

  /** A text in which those that the marks say are plain; the marks are left out. */
  readMarked(marked: string, marks: ContentMarks): Encodable {
    const { text, offsets } = marks.read(marked);
    const meant = this.#findSpecial(text, offsets);
    const spelt = this.#findSpecial(text);
    const isOrdinary =
      !this.#areNormalized &&
      meant.length === spelt.length &&
      meant.every(({ offset, content }, i) => {
        const other = spelt[i];
        return other?.offset === offset && other.content === content;
      });
    if (isOrdinary) return { text, library: this.#library };
    let aliased = "";
    let from = 0;
    for (const { offset, content } of meant) {
      aliased += text.slice(from, offset) + (this.#aliases.get(content) ?? content);
      from = offset + content.length;
    }
    return { text: aliased + text.slice(from), library: this.#requireAliased() };
  }

  /**
   * Where special tokens are spelt, as the library finds added tokens: from the left, the
   * longest first. One with a mark before it or in it does not count.
   */
  #findSpecial(
    text: string,
    offsets: UnmarkedText["offsets"] = [],
  ): { readonly offset: number; readonly content: string }[] {
    const found: { offset: number; content: string }[] = [];
    let passed = 0;
    for (let offset = 0; offset < text.length;) {
      while ((offsets[passed] ?? Infinity) < offset) passed += 1;
      const markAt = offsets[passed] ?? Infinity;
      const token = this.#added.longestAt(
        text,
        offset,
        ({ content }) => !this.#aliases.has(content) || offset + content.length <= markAt,
      );
      if (token !== undefined && this.#aliases.has(token.content)) {
        found.push({ offset, content: token.content });
      }
      offset += token?.content.length ?? 1;
    }
    return found;
  }

  #requireAliased(): TokenizerLibrary {
    return (this.#aliased ??= this.#makeAliased());
  }
}
