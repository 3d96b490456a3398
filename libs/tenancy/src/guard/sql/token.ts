/**
 * A piece of a statement. Brackets and `case … end` are one token that holds what is inside, so that a look along a list
 * of tokens never leaves its level: an `and` inside a `case` is no conjunct of the condition around it.
 */
export type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'quoted'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'parameter'; readonly index: number; readonly text: string }
  | { readonly kind: 'operator'; readonly text: string }
  | { readonly kind: 'group'; readonly text: '(' | '[' | 'case'; readonly inner: readonly Token[] };

export type Group = Extract<Token, { kind: 'group' }>;

/** Whether the token is this keyword. Words are in lower case; a quoted identifier is never a keyword. */
export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === 'word' && token.text === word;
}

export function isOneOf(token: Token | undefined, words: ReadonlySet<string>): boolean {
  return token?.kind === 'word' && words.has(token.text);
}

export function isOperator(token: Token | undefined, text: string): boolean {
  return token?.kind === 'operator' && token.text === text;
}

/** Whether the token is a pair of round brackets. */
export function isParentheses(token: Token | undefined): token is Group {
  return token?.kind === 'group' && token.text === '(';
}

/** Pieces between the separators of this level. */
export function splitBy(tokens: readonly Token[], isSeparator: (token: Token) => boolean): (readonly Token[])[] {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    if (isSeparator(token)) parts.push([]);
    else parts[parts.length - 1]?.push(token);
  }
  return parts;
}

export function splitByComma(tokens: readonly Token[]): (readonly Token[])[] {
  return splitBy(tokens, (token) => isOperator(token, ','));
}
