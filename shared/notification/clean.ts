/**
 * Control characters, line and paragraph separators end a header or a line; format characters, the bidirectional ones
 * among them, make a text read differently from what it is.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu;
/** Half a character, which no encoding can carry. */
const LONE_SURROGATE = /\p{Cs}/gu;

/** One line of visible characters, at most `longest` of them; what was cut is marked with an ellipsis. */
export function oneLine(text: string, longest: number): string {
  const line = text.replace(UNSEEN, ' ').replace(LONE_SURROGATE, '\uFFFD').replace(/\s+/gu, ' ').trim();
  const characters = Array.from(line);
  return characters.length <= longest
    ? line
    : `${characters
        .slice(0, longest - 1)
        .join('')
        .trimEnd()}…`;
}

const INSTANT = /(?<![\w:="-])(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})(?::\d{2}(?:\.\d+)?)?Z(?![\w-])/g;

/** `2030-01-15T12:00:00.000Z` as `2030-01-15 12:00 UTC`, wherever it stands in a sentence; not in `name=value`, which is copied. */
export const readableInstants = (text: string): string => text.replace(INSTANT, '$1 $2 UTC');
