/** One segment of a route template, ready to match. */
type Segment =
  | { kind: 'literal'; text: string }
  | { kind: 'parameter'; name: string; optional: boolean; accepts: (value: string) => boolean; constrained: boolean }
  | { kind: 'rest'; name: string };

export interface Route {
  template: string;
  segments: Segment[];
}

/** Constraints by name. Source: ASP.NET Core route constraint reference. */
const constraints: Record<string, (value: string, argument: string) => boolean> = {
  int: (value) => /^[+-]?\d+$/.test(value) && Math.abs(Number(value)) <= 2 ** 31,
  long: (value) => /^[+-]?\d+$/.test(value),
  guid: (value) => /^\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i.test(value),
  alpha: (value) => /^[a-z]*$/i.test(value),
  bool: (value) => /^(true|false)$/i.test(value),
  length: (value, argument) => {
    const [low = '0', high = low] = argument.split(',');
    return value.length >= Number(low) && value.length <= Number(high);
  },
  minlength: (value, argument) => value.length >= Number(argument),
  maxlength: (value, argument) => value.length <= Number(argument),
  min: (value, argument) => Number(value) >= Number(argument),
  max: (value, argument) => Number(value) <= Number(argument),
  regex: (value, argument) => new RegExp(argument.replace(/\{\{/g, '{').replace(/\}\}/g, '}'), 'i').test(value),
};

/** Reads a template such as `ops/{id:int}/{*rest}`. Throws on a constraint the host does not know here. */
export function parseRoute(template: string): Route {
  return { template, segments: splitSegments(template).map((text) => parseSegment(text, template)) };
}

/** Slashes inside braces (a regular expression) separate nothing. */
function splitSegments(template: string): string[] {
  const segments: string[] = [];
  let depth = 0;
  let current = '';
  for (const character of template) {
    if (character === '{') depth += 1;
    if (character === '}') depth -= 1;
    if (character === '/' && depth === 0) {
      segments.push(current);
      current = '';
    } else current += character;
  }
  return [...segments, current].filter((segment) => segment !== '');
}

function parseSegment(text: string, template: string): Segment {
  if (!text.startsWith('{') || !text.endsWith('}')) return { kind: 'literal', text: text.toLowerCase() };
  const inside = text.slice(1, -1);
  const rest = /^\*{1,2}(.+)$/.exec(inside);
  if (rest?.[1]) return { kind: 'rest', name: rest[1] };
  const match = /^([A-Za-z_]\w*)((?::.*?)?)(\?)?$/.exec(inside);
  if (!match?.[1]) throw new Error(`Route '${template}': cannot read the segment '${text}'.`);
  const tests = readConstraints(match[2] ?? '', template);
  return {
    kind: 'parameter',
    name: match[1],
    optional: match[3] === '?',
    accepts: (value) => tests.every((test) => test(value)),
    constrained: tests.length > 0,
  };
}

function readConstraints(text: string, template: string): ((value: string) => boolean)[] {
  return [...text.matchAll(/:(\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?/g)].map(([, name = '', argument = '']) => {
    const constraint = constraints[name];
    if (!constraint) throw new Error(`Route '${template}': the local host does not know the constraint '${name}'.`);
    return (value) => constraint(value, argument);
  });
}

/** The parameters when the path matches, undefined when it does not. Literals compare without case. */
export function matchRoute(route: Route, path: string): Record<string, string> | undefined {
  const given = path.split('/').filter((part) => part !== '');
  const parameters: Record<string, string> = {};
  let index = 0;
  for (const segment of route.segments) {
    if (segment.kind === 'rest') {
      parameters[segment.name] = given.slice(index).map(decode).join('/');
      return parameters;
    }
    const part = given[index];
    if (part === undefined) {
      if (segment.kind === 'parameter' && segment.optional) continue;
      return undefined;
    }
    const value = decode(part);
    if (segment.kind === 'literal' ? value.toLowerCase() !== segment.text : !segment.accepts(value)) return undefined;
    if (segment.kind === 'parameter') parameters[segment.name] = value;
    index += 1;
  }
  return index === given.length ? parameters : undefined;
}

/** More exact templates first: literals, then constrained parameters, then free ones, then catch-all. */
export function comparePrecedence(a: Route, b: Route): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let index = 0; index < length; index++) {
    const difference = rank(a.segments[index]) - rank(b.segments[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function rank(segment: Segment | undefined): number {
  if (!segment) return 0;
  if (segment.kind === 'literal') return 1;
  if (segment.kind === 'rest') return 4;
  return segment.constrained ? 2 : 3;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A lone percent sign stays what it is.
    return part;
  }
}
