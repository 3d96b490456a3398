import type { EngineName } from '#libs/persistence';
import { Refusal } from './refusal.js';
import type { Token } from './token.js';

/** How one product writes identifiers, text, comments and parameters. */
interface LexicalRules {
  /** Quotes of identifiers: opening character → closing one. */
  readonly identifierQuotes: Readonly<Record<string, string>>;
  readonly stringQuotes: string;
  /** Whether `\` escapes inside every string, not only in `E'…'`. */
  readonly backslashEscapes: boolean;
  readonly parameters: '?' | '$n';
  /** Operators whose meaning or precedence is not what a reader expects. */
  readonly refusedOperators: readonly string[];
}

const MYSQL: LexicalRules = {
  identifierQuotes: { '`': '`' },
  stringQuotes: "'",
  backslashEscapes: true,
  parameters: '?',
  // `||` is a logical "or" here, unless a server setting says otherwise.
  refusedOperators: ['||', '&&', ':=', '!'],
};

const RULES: Readonly<Record<EngineName, LexicalRules>> = {
  sqlite: {
    identifierQuotes: { '"': '"', '`': '`', '[': ']' },
    stringQuotes: "'",
    backslashEscapes: false,
    parameters: '?',
    refusedOperators: [],
  },
  postgresql: {
    identifierQuotes: { '"': '"' },
    stringQuotes: "'",
    backslashEscapes: false,
    parameters: '$n',
    refusedOperators: [],
  },
  mysql: MYSQL,
  mariadb: MYSQL,
};

const SPACES = ' \t\r\n\f';
const DIGITS = '0123456789';
const WORD_START = /[A-Za-z_\u0080-\uffff]/;
const WORD = /[A-Za-z0-9_$\u0080-\uffff]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const OPERATOR = /[=<>!~^&|+\-*/%#?:@]/;

/** A statement in which parameters stand as `?` on every engine: MikroORM's form, before it writes the values into it. */
export type ParameterStyle = 'native' | 'question-marks';

/**
 * Reads a statement into tokens. It is stricter than any engine: what two engines, or two versions or settings of one,
 * read differently is refused rather than guessed, because a guess here is a hole.
 *
 * @throws {Refusal}
 */
export function readTokens(sql: string, engine: EngineName, style: ParameterStyle = 'native'): readonly Token[] {
  return new Lexer(sql, engine, style).read();
}

/** Tokens that have nothing of their own are shared. */
const PUNCTUATION: Readonly<Record<string, Token>> = {
  ',': { kind: 'operator', text: ',' },
  '.': { kind: 'operator', text: '.' },
  ';': { kind: 'operator', text: ';' },
};

class Lexer {
  #position = 0;
  #parameters = 0;
  /** Levels that are open, the innermost last. */
  readonly #levels: { readonly opener: '' | '(' | '[' | 'case'; readonly tokens: Token[] }[] = [
    { opener: '', tokens: [] },
  ];

  readonly #rules: LexicalRules;
  readonly #placeholder: '?' | '$n';

  constructor(
    private readonly sql: string,
    private readonly engine: EngineName,
    private readonly style: ParameterStyle,
  ) {
    this.#rules = RULES[engine];
    this.#placeholder = style === 'native' ? this.#rules.parameters : '?';
  }

  read(): readonly Token[] {
    while (this.#position < this.sql.length) this.#next();
    const [top] = this.#levels;
    if (this.#levels.length !== 1 || !top) throw new Refusal('its brackets do not match');
    return top.tokens;
  }

  #next(): void {
    const char = this.#at(0);
    // The most frequent ones first: a bulk insert is little else.
    if (char === '?' && this.#placeholder === '?') this.#questionMark();
    else if (char === ',' || char === '.' || char === '(' || char === ')') this.#punctuation(char);
    else if (SPACES.includes(char)) this.#position++;
    else if (this.#skipComment(char)) return;
    else if (WORD_START.test(char)) this.#word();
    else if (DIGITS.includes(char)) this.#number();
    else if (this.#rules.stringQuotes.includes(char)) {
      this.#push({ kind: 'string', text: this.#string(char, this.#rules.backslashEscapes) });
    } else if (Object.hasOwn(this.#rules.identifierQuotes, char)) {
      this.#push({ kind: 'quoted', text: this.#identifier(char) });
    } else if (char === '$') this.#dollar();
    else this.#punctuation(char);
  }

  #at(offset: number): string {
    return this.sql.charAt(this.#position + offset);
  }

  #push(token: Token): void {
    this.#levels[this.#levels.length - 1]?.tokens.push(token);
  }

  #skipComment(char: string): boolean {
    const mysql = this.#rules === MYSQL;
    if (char === '-' && this.#at(1) === '-') {
      // In MySQL `--1` is arithmetic; only with a space it starts a comment.
      if (mysql && !SPACES.includes(this.#at(2))) throw new Refusal('it has "--" without a space behind it');
      this.#skipLine();
      return true;
    }
    if (char === '#' && mysql) {
      this.#skipLine();
      return true;
    }
    if (char !== '/' || this.#at(1) !== '*') return false;
    const end = this.sql.indexOf('*/', this.#position + 2);
    const text = end < 0 ? undefined : this.sql.slice(this.#position + 2, end);
    if (text && /^M?!|^\+.*\bset/is.test(text)) throw new Refusal('it has a comment that some servers execute');
    // PostgreSQL nests comments, the others end at the first `*/`.
    if (text === undefined || text.includes('/*')) throw new Refusal('a comment in it is not closed or holds another');
    this.#refuseHidden(text);
    this.#position = end + 2;
    return true;
  }

  #skipLine(): void {
    const end = this.sql.indexOf('\n', this.#position);
    const line = this.sql.slice(this.#position, end < 0 ? undefined : end);
    this.#refuseHidden(line);
    this.#position += line.length;
  }

  /** MikroORM writes values over question marks wherever they stand; inside text they would shift all that follow. */
  #refuseHidden(text: string): void {
    if (this.style === 'question-marks' && text.includes('?')) throw new HiddenParameter();
  }

  #word(): void {
    WORD.lastIndex = this.#position;
    const text = lowerCase(WORD.exec(this.sql)?.[0] ?? '');
    this.#position += text.length;
    if (this.engine === 'postgresql' && text === 'e' && this.#at(0) === "'") {
      this.#push({ kind: 'string', text: this.#string("'", true) });
    } else if (text === 'case') {
      this.#levels.push({ opener: 'case', tokens: [] });
    } else if (text === 'end') {
      this.#close('case');
    } else this.#push({ kind: 'word', text });
  }

  #number(): void {
    NUMBER.lastIndex = this.#position;
    const text = NUMBER.exec(this.sql)?.[0] ?? '';
    this.#position += text.length;
    if (text === '' || WORD_START.test(this.#at(0))) throw new Refusal('it has a number that runs into a word');
    this.#push({ kind: 'number', text });
  }

  #string(quote: string, backslash: boolean): string {
    let text = '';
    for (let from = ++this.#position; this.#position < this.sql.length; this.#position++) {
      const char = this.#at(0);
      if (char === '\\' && backslash) {
        // What an escape stands for does not matter: a tenant id has none, so the text must only differ from it.
        text += this.sql.slice(from, this.#position + 2);
        from = ++this.#position + 1;
      } else if (char === quote) {
        text += this.sql.slice(from, this.#position);
        this.#position++;
        if (this.#at(0) !== quote) {
          this.#refuseHidden(text);
          return text;
        }
        text += quote;
        from = this.#position + 1;
      }
    }
    throw new Refusal('a text in it is not closed');
  }

  #identifier(open: string): string {
    const close = this.#rules.identifierQuotes[open] as string;
    let end = this.sql.indexOf(close, this.#position + 1);
    while (end >= 0 && close !== ']' && this.sql.charAt(end + 1) === close) end = this.sql.indexOf(close, end + 2);
    if (end < 0) throw new Refusal('a quoted name in it is not closed');
    const text = this.sql.slice(this.#position + 1, end).replaceAll(close + close, close);
    this.#refuseHidden(text);
    this.#position = end + 1;
    // Only PostgreSQL tells "Name" from "name".
    return this.engine === 'postgresql' ? text : lowerCase(text);
  }

  #questionMark(): void {
    const next = this.#at(1);
    if (this.style === 'question-marks' && next === '?') throw new HiddenParameter();
    if (next !== '' && DIGITS.includes(next)) throw new Refusal('it numbers its parameters');
    this.#position++;
    this.#push({ kind: 'parameter', index: this.#parameters++, text: '?' });
  }

  #dollar(): void {
    const number = /^\$([1-9]\d*)(?![\w$])/.exec(this.sql.slice(this.#position, this.#position + 12));
    if (this.#placeholder !== '$n' || !number) throw new Refusal('it has dollar quotes or named parameters');
    this.#position += number[0].length;
    this.#push({ kind: 'parameter', index: Number(number[1]) - 1, text: number[0] });
  }

  #punctuation(char: string): void {
    if (char === '.' && DIGITS.includes(this.#at(1) || 'x')) {
      this.#number();
    } else if (char === '(' || char === '[') {
      if (char === '[' && this.engine !== 'postgresql') throw new Refusal('it has square brackets');
      this.#position++;
      this.#levels.push({ opener: char, tokens: [] });
    } else if (char === ')' || char === ']') {
      this.#position++;
      this.#close(char === ')' ? '(' : '[');
    } else if (char === '"') {
      // Text or a name, and with backslashes or without, as a server setting says.
      throw new Refusal('it has double quotes; write text in single ones and names in backticks');
    } else if (',.;'.includes(char)) {
      this.#position++;
      this.#push(PUNCTUATION[char] ?? { kind: 'operator', text: char });
    } else this.#operator();
  }

  #close(opener: '(' | '[' | 'case'): void {
    const level = this.#levels.pop();
    if (level?.opener !== opener) throw new Refusal('its brackets do not match');
    this.#push({ kind: 'group', text: opener, inner: level.tokens });
  }

  #operator(): void {
    const start = this.#position;
    while (OPERATOR.test(this.#at(0)) && !this.#startsOther(start)) this.#position++;
    const text = this.sql.slice(start, this.#position);
    if (this.style === 'question-marks' && this.#at(0) === '\\') throw new HiddenParameter();
    if (text === '') throw new Refusal('it has a character that does not belong into a statement');
    if (text.includes('@') && this.engine !== 'postgresql') throw new Refusal('it has variables or named parameters');
    if (text.startsWith(':') && text !== '::' && this.engine !== 'postgresql')
      throw new Refusal('it has named parameters');
    if (this.#rules.refusedOperators.includes(text))
      throw new Refusal(`it has the operator "${text}"; use a word instead`);
    this.#push({ kind: 'operator', text });
  }

  /** Whether something begins here that ends an operator: a comment, a parameter, or a sign that belongs to a value. */
  #startsOther(start: number): boolean {
    const [char, next] = [this.#at(0), this.#at(1)];
    if ((char === '-' && next === '-') || (char === '/' && next === '*')) return true;
    if (char === '?' && this.#placeholder === '?') return true;
    if (char === '#' && this.#rules === MYSQL) return true;
    return this.#position > start && (char === '-' || char === '+') && /[=<>*/(]/.test(this.#at(-1));
  }
}

/** Of ASCII only, as engines do: there are other letters whose lower case is an ASCII one. */
export function lowerCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

/**
 * A question mark that is, or may be, no value of its own: inside text, escaped, or a name (`??`). The statement cannot be
 * read before MikroORM has written the values into it; it is read then.
 */
export class HiddenParameter extends Refusal {
  constructor() {
    super('it has question marks that are not parameters');
  }
}
