/**
 * Comments, whose apostrophes open no text; text in quotes, with or without backslashes that escape; dollar-quoted text;
 * numbers; and names, which are kept, so that digits in them are no numbers. In double quotes MySQL has text, the others
 * names.
 */
const TOKENS = {
  backslash:
    /\/\*[\s\S]*?(?:\*\/|$)|(?:--(?=\s|$)|#)[^\n]*|'(?:[^'\\]|''|\\[\s\S])*'?|"(?:[^"\\]|""|\\[\s\S])*"?|`[^`]*`|[\w$]+(?:\.\d+)?/g,
  plain:
    /\/\*[\s\S]*?(?:\*\/|$)|--[^\n]*|\b[eE]'(?:[^'\\]|''|\\[\s\S])*'?|'(?:[^']|'')*'?|"[^"]*"|`[^`]*`|\$(\w*)\$[\s\S]*?\$\1\$|[\w$]+(?:\.\d+)?/g,
} as const;

/**
 * SQL without the values that are written in its text, for people to look at: a `?` stands for each. What cannot be told
 * apart from a value is withheld.
 *
 * @param escapesBackslash  whether a backslash escapes in text, as on MySQL and MariaDB
 */
export function withholdValues(sql: string, escapesBackslash: boolean): string {
  return sql.replace(TOKENS[escapesBackslash ? 'backslash' : 'plain'], (token) => {
    if (/^(?:\/\*|--|#)/.test(token)) return '/* ? */';
    if (/^[eE]?'/.test(token) || /^\d/.test(token) || /^\$\w*\$/.test(token)) return '?';
    return escapesBackslash && token.startsWith('"') ? '?' : token;
  });
}
