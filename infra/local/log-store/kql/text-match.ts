const isTermCharacter = (character: string | undefined): boolean =>
  character !== undefined && /[\p{L}\p{N}]/u.test(character);

/**
 * Whether `text` holds `term` as whole terms: a term is a longest run of letters and digits. Both in the same case already.
 * Source: https://learn.microsoft.com/kusto/query/datatypes-string-operators
 */
export function hasTerm(text: string, term: string, edges: { start: boolean; end: boolean } = WHOLE): boolean {
  if (term === '') return true;
  const [first, last] = [isTermCharacter(term[0]), isTermCharacter(term.at(-1))];
  for (let at = text.indexOf(term); at >= 0; at = text.indexOf(term, at + 1)) {
    const startsWell = !edges.start || !first || !isTermCharacter(text[at - 1]);
    const endsWell = !edges.end || !last || !isTermCharacter(text[at + term.length]);
    if (startsWell && endsWell) return true;
  }
  return false;
}
const WHOLE = { start: true, end: true };

type Match = (text: string, other: string) => boolean;
const folded =
  (match: Match): Match =>
  (text, other) =>
    match(text.toLowerCase(), other.toLowerCase());

const startsWith: Match = (text, other) => text.startsWith(other);
const endsWith: Match = (text, other) => text.endsWith(other);
const contains: Match = (text, other) => text.includes(other);
const has: Match = (text, other) => hasTerm(text, other);
const hasPrefix: Match = (text, other) => hasTerm(text, other, { start: true, end: false });
const hasSuffix: Match = (text, other) => hasTerm(text, other, { start: false, end: true });

const POSITIVE: Record<string, Match> = {
  '=~': folded((text, other) => text === other),
  contains: folded(contains),
  contains_cs: contains,
  startswith: folded(startsWith),
  startswith_cs: startsWith,
  endswith: folded(endsWith),
  endswith_cs: endsWith,
  has: folded(has),
  has_cs: has,
  hasprefix: folded(hasPrefix),
  hasprefix_cs: hasPrefix,
  hassuffix: folded(hasSuffix),
  hassuffix_cs: hasSuffix,
};

/** Operators between two texts, by the word of the language; those that deny begin with `!`. */
export function textMatch(operator: string): Match | undefined {
  const positive = POSITIVE[operator];
  if (positive) return positive;
  const denied =
    operator === '!~' ? POSITIVE['=~'] : operator.startsWith('!') ? POSITIVE[operator.slice(1)] : undefined;
  return denied && ((text, other) => !denied(text, other));
}
