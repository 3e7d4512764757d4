import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../../shared/journal/canonical.ts';
import { chainLine, GENESIS } from '../../../shared/journal/chain.ts';
import { type ActContext, rotationIntent, rotationNote, rotationOutcome } from '../../../shared/journal/entries.ts';
import type { JournalEntry } from '../../../shared/journal/entry.ts';
import { createVerifier } from '../../../shared/journal/verify.ts';
import { NOW, sha256 } from '../builders.ts';

const CONTEXT: ActContext = {
  hsm: 'contoso-hsm',
  key: 'payments-kek',
  identity: { duty: 'rotate', clientId: '00000000-0000-0000-0000-000000000001' },
  cause: { kind: 'Operator', by: 'alice@contoso.example', note: 'exposed', overrides: [] },
  instance: 'rotate-contoso-hsm-payments-kek-1',
};

const INTENT = rotationIntent('key.rotate', CONTEXT, { at: NOW });
const OUTCOME = rotationOutcome('key.rotate', CONTEXT, { at: NOW, result: 'done', detail: { version: 'b' } });
const NOTE = rotationNote('key.decide', CONTEXT, { at: NOW });

function write(entries: JournalEntry[], after: string = GENESIS): string[] {
  let previous = after;
  return entries.map((entry) => {
    const { line, hash } = chainLine(previous, entry, sha256);
    previous = hash;
    return line;
  });
}

function verify(lines: string[], options: { after?: string; last?: string } = {}) {
  const verifier = createVerifier(sha256, options.after);
  for (const line of lines) verifier.feed('2030/01/15.jsonl', line);
  return verifier.finish(options.last);
}

const hashOf = (line: string | undefined): string => JSON.parse(line ?? '{}').hash;

describe('a rotation entry', () => {
  it('announces an act with the log rows it may cause', () => {
    expect(INTENT).toMatchObject({
      id: 'rotate-contoso-hsm-payments-kek-1:key.rotate:intent',
      target: 'keys/payments-kek',
      cause: 'operator alice@contoso.example: exposed',
      window: { from: '2030-01-15T11:55:00Z', to: '2030-01-15T12:20:00Z' },
      count: { 'key.rotate': 1 },
    });
  });

  it('allows for the lag between regions', () => {
    const intent = rotationIntent('key.prove', CONTEXT, { at: NOW, multiRegion: true, lastsMinutes: 5 });
    expect(intent.window).toEqual({ from: '2030-01-15T11:49:00Z', to: '2030-01-15T12:16:00Z' });
  });

  it('answers its intent', () => {
    expect(OUTCOME).toMatchObject({ intent: INTENT.id, result: 'done', detail: { version: 'b' } });
  });
});

describe('the chain', () => {
  it('is unbroken as written, and counts repeats and intents without an outcome', () => {
    const other = { ...INTENT, id: 'open' };
    const lines = write([INTENT, OUTCOME, INTENT, NOTE, other]);
    expect(verify(lines, { last: hashOf(lines.at(-1)) })).toMatchObject({
      kind: 'unbroken',
      entries: 5,
      repeats: 1,
      lastHash: hashOf(lines.at(-1)),
      open: [{ id: 'open', class: 'key.rotate' }],
    });
  });

  it('goes on from one blob to the next', () => {
    const first = write([INTENT]);
    const second = write([OUTCOME], hashOf(first[0]));
    const verifier = createVerifier(sha256);
    verifier.feed('a', first[0] ?? '');
    verifier.feed('b', second[0] ?? '');
    expect(verifier.finish()).toMatchObject({ kind: 'unbroken', entries: 2 });
    expect(verify(second, { after: hashOf(first[0]) })).toMatchObject({ kind: 'unbroken', entries: 1 });
  });

  it.each<[string, (lines: string[]) => string[], string, number]>([
    [
      'a changed fact',
      (lines) => lines.map((line) => line.replace('"version":"b"', '"version":"c"')),
      'HashMismatch',
      2,
    ],
    ['a line taken out', (lines) => lines.toSpliced(1, 1), 'LinkMismatch', 2],
    ['two lines swapped', ([a = '', b = '', c = '']) => [a, c, b], 'LinkMismatch', 2],
    ['a line put in', (lines) => lines.toSpliced(1, 0, ...write([NOTE])), 'LinkMismatch', 2],
    ['a padded line', (lines) => lines.with(0, `${lines[0]} `), 'NotCanonical', 1],
    ['a duplicate name', (lines) => lines.with(0, (lines[0] ?? '').replace('{', '{"at":"x",')), 'NotCanonical', 1],
    ['a line that is no JSON', (lines) => lines.with(2, '{'), 'NotJson', 3],
    ['a line that is no entry', (lines) => lines.with(2, '{"id":"x"}'), 'NotAnEntry', 3],
    ['an end cut off', (lines) => lines.slice(0, 2), 'EndsEarly', 2],
  ])('shows %s', (_title, tamper, reason, line) => {
    const lines = write([INTENT, OUTCOME, NOTE]);
    expect(verify(tamper(lines), { last: hashOf(lines.at(-1)) })).toMatchObject({
      kind: 'broken',
      blob: '2030/01/15.jsonl',
      reason,
      line,
    });
  });

  it('holds for any entries, and breaks for any one character changed', () => {
    const entry = fc.record({
      detail: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.boolean())),
    });
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 4 }), fc.nat(), (details, where) => {
        const lines = write(details.map((detail, index) => ({ ...NOTE, ...detail, id: `n${index}` })));
        const last = hashOf(lines.at(-1));
        expect(verify(lines, { last }).kind).toBe('unbroken');
        const [first = '', ...rest] = lines;
        const at = where % first.length;
        const other = first[at] === '7' ? '8' : '7';
        expect(verify([first.slice(0, at) + other + first.slice(at + 1), ...rest], { last }).kind).toBe('broken');
      }),
    );
  });
});

describe('canonicalJson', () => {
  it('does not depend on the order of names', () => {
    expect(canonicalJson({ b: [{ d: 1, c: undefined }], a: null })).toBe('{"a":null,"b":[{"d":1}]}');
  });

  it('is JSON that says the same', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
