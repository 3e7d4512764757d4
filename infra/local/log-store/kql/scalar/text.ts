import { regexOf } from '../binary.ts';
import { hasTerm } from '../text-match.ts';
import { type Type, toText, type Value } from '../value.ts';
import { convert } from './conversion.ts';
import { argument, lifted, ofTexts, type ScalarFunction, textAt } from './function.ts';

/** Regular expressions by their text; `all` finds every match. */
const compiledRegex = (all?: 'all') => {
  const known = new Map<string, RegExp | null>();
  return (pattern: string): RegExp | null => {
    const found = known.get(pattern);
    if (found !== undefined) return found;
    const one = regexOf(pattern);
    const made = one && all ? new RegExp(one, `${one.flags}g`) : one;
    known.set(pattern, made);
    return made;
  };
};

/** `extract(regex, group, text[, typeof(type)])`: empty, or null of the type, where nothing matches. */
const extract: ScalarFunction = (args, { type }) => {
  const [pattern, group, text] = [argument(args, 0), argument(args, 1), argument(args, 2)];
  const regex = compiledRegex();
  return (row) => {
    const found = regex(textAt(pattern, row))?.exec(textAt(text, row))?.[Number(group.get(row))];
    if (found === undefined) return type === 'string' ? '' : null;
    return convert(found, 'string', type);
  };
};

/** All matches: the groups of each, or the one group. */
const extractAll: ScalarFunction = (args) => {
  const [pattern, text] = [argument(args, 0), argument(args, args.length - 1)];
  const regex = compiledRegex('all');
  return (row) => {
    const found = regex(textAt(pattern, row));
    if (!found) return null;
    const matches = [...textAt(text, row).matchAll(found)];
    if (matches.length === 0) return null;
    return matches.map(([whole, ...groups]) => {
      const texts = groups.map((one) => one ?? '');
      return texts.length === 0 ? whole : texts.length === 1 ? (texts[0] ?? '') : texts;
    });
  };
};

const split: ScalarFunction = (args) => {
  const [text, separator, wanted] = [argument(args, 0), argument(args, 1), args[2]];
  return (row) => {
    const by = textAt(separator, row);
    const whole = textAt(text, row);
    const parts = by === '' ? [whole] : whole.split(by);
    if (!wanted) return parts;
    const part = parts[Number(wanted.get(row))];
    return part === undefined ? [] : [part];
  };
};

const substring: ScalarFunction = (args) => {
  const [text, start, length] = [argument(args, 0), argument(args, 1), args[2]];
  return (row) => {
    const whole = textAt(text, row);
    const from = Number(start.get(row));
    const at = from < 0 ? Math.max(0, whole.length + from) : from;
    return length ? whole.slice(at, at + Math.max(0, Number(length.get(row)))) : whole.slice(at);
  };
};

const trimBy =
  (edges: 'both' | 'start' | 'end'): ScalarFunction =>
  (args) => {
    const [pattern, text] = [argument(args, 0), argument(args, 1)];
    const regex = compiledRegex();
    return (row) => {
      const source = textAt(pattern, row);
      let whole = textAt(text, row);
      if (edges !== 'end') whole = whole.replace(regex(`^(?:${source})`) ?? '', '');
      if (edges !== 'start') whole = whole.replace(regex(`(?:${source})$`) ?? '', '');
      return whole;
    };
  };

/** `\\1` is the first group, where JavaScript says `$1`. */
const replacementOf = (text: string): string => (text.includes('\\') ? text.replace(/\\(\d)/g, '$$$1') : text);

const replaceRegex: ScalarFunction = (args) => {
  const [text, pattern, by] = [argument(args, 0), argument(args, 1), argument(args, 2)];
  const regex = compiledRegex('all');
  return (row) => {
    const found = regex(textAt(pattern, row));
    const replacement = replacementOf(textAt(by, row));
    const whole = textAt(text, row);
    return found ? whole.replace(found, replacement) : whole;
  };
};

const joined = (texts: readonly { value: Value; type: Type }[], by: string): string =>
  texts.map(({ value, type }) => toText(value, type)).join(by);

export const TEXT: Record<string, ScalarFunction> = {
  extract,
  extract_all: extractAll,
  split,
  substring,
  trim: trimBy('both'),
  trim_start: trimBy('start'),
  trim_end: trimBy('end'),
  replace_regex: replaceRegex,
  replace_string: ofTexts((text, what = '', by = '') => (what === '' ? text : text.replaceAll(what, by))),
  strcat: (args) => (row) =>
    joined(
      args.map(({ get, type }) => ({ value: get(row), type })),
      '',
    ),
  strcat_delim: (args) => (row) =>
    joined(
      args.slice(1).map(({ get, type }) => ({ value: get(row), type })),
      textAt(argument(args, 0), row),
    ),
  strlen: ofTexts((text) => [...text].length),
  strcmp: ofTexts((left, right = '') => (left < right ? -1 : left > right ? 1 : 0)),
  strrep: (args) => (row) => {
    const by = args[2] ? textAt(args[2], row) : '';
    return new Array(Number(argument(args, 1).get(row))).fill(textAt(argument(args, 0), row)).join(by);
  },
  reverse: ofTexts((text) => [...text].reverse().join('')),
  tolower: ofTexts((text) => text.toLowerCase()),
  toupper: ofTexts((text) => text.toUpperCase()),
  indexof: lifted((text: string, what: string, start = 0) => String(text).indexOf(String(what), Number(start))),
  countof: ofTexts((text, what = '') => {
    let count = 0;
    for (let at = text.indexOf(what); what !== '' && at >= 0; at = text.indexOf(what, at + 1)) count++;
    return count;
  }),
  has_any_index: (args) => {
    const [text, list] = [argument(args, 0), argument(args, 1)];
    return (row) => {
      const terms = list.get(row);
      const whole = textAt(text, row).toLowerCase();
      if (!Array.isArray(terms)) return -1;
      return terms.findIndex((term) => hasTerm(whole, toText(term, 'dynamic').toLowerCase()));
    };
  },
};
