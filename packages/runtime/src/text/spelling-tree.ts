interface Node<Token> {
  readonly next: Map<string, Node<Token>>;
  token?: Token;
}

/** Finds spellings of tokens in texts, in time that does not depend on how many there are. */
export class SpellingTree<Token> {
  readonly #root: Node<Token> = { next: new Map() };

  constructor(tokens: Iterable<readonly [spelling: string, token: Token]>) {
    for (const [spelling, token] of tokens) {
      let node = this.#root;
      for (const unit of spelling.split("")) {
        let next = node.next.get(unit);
        if (next === undefined) {
          next = { next: new Map() };
          node.next.set(unit, next);
        }
        node = next;
      }
      if (spelling !== "") node.token = token;
    }
  }

  /** The token with the longest spelling that begins here, of those accepted. */
  longestAt(text: string, index: number, accepts: (token: Token) => boolean): Token | undefined {
    let longest: Token | undefined;
    let node: Node<Token> | undefined = this.#root;
    for (let i = index; i < text.length; i++) {
      node = node.next.get(text[i] ?? "");
      if (node === undefined) break;
      if (node.token !== undefined && accepts(node.token)) longest = node.token;
    }
    return longest;
  }
}
