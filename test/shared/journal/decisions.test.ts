import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainLine, GENESIS } from '../../../shared/journal/chain.ts';
import { type Decision, judgeStoredDecision, type Matter, wasAsked } from '../../../shared/journal/decisions.ts';
import type { JournalEntry } from '../../../shared/journal/entry.ts';
import { createInstanceReader } from '../../../shared/journal/read-instance.ts';
import { sha256 } from '../builders.ts';

const MATTER: Matter = {
  ...{ id: 'restore-contoso-1', hsm: 'contoso', target: 'restore', by: 'oid-omar', at: '2030-01-01T00:00:00.000Z' },
  ...{ asks: 'restore.request', decides: 'restore.decide', digest: 'd1' },
};
const STORED: Decision = { by: 'oid-ana', at: '2030-01-01T00:05:00.000Z', decision: 'approved' };

const entry = (changes: Partial<JournalEntry> = {}): JournalEntry => ({
  ...{ id: 'restore-contoso-1:decision', kind: 'note', class: 'restore.decide', at: STORED.at, hsm: 'contoso' },
  ...{ target: 'restore', identity: { duty: 'observe', clientId: 'c' }, cause: STORED.by, instance: MATTER.id },
  detail: { decision: 'approved', note: '', digest: 'd1' },
  ...changes,
});
const detail = (changes: object) => entry({ detail: { decision: 'approved', note: '', digest: 'd1', ...changes } });

describe('a stored decision', () => {
  it.each<[string, JournalEntry[], string]>([
    ['that the journal holds', [entry()], 'agrees'],
    ['that stands there twice', [entry(), entry()], 'agrees'],
    ['that the journal does not hold', [], 'ApprovalNotJournaled'],
    ['of another person', [entry({ cause: 'oid-eve' })], 'ApprovalNotJournaled'],
    ['of another instant', [entry({ at: '2030-01-01T00:05:01.000Z' })], 'ApprovalNotJournaled'],
    ['that was a denial', [detail({ decision: 'denied' })], 'ApprovalNotJournaled'],
    ['about something else', [detail({ digest: 'd2' })], 'ApprovalNotJournaled'],
    ['of before what is decided was bound', [detail({ digest: null })], 'ApprovalNotJournaled'],
    ['that came second', [entry({ cause: 'oid-eve' }), entry()], 'ApprovalNotJournaled'],
    ['that is only announced as an act', [entry({ kind: 'intent' })], 'ApprovalNotJournaled'],
    ['of another class', [entry({ class: 'retirement.decide' })], 'ApprovalNotJournaled'],
  ])('%s: %3$s', (_, entries, expected) => {
    const found = judgeStoredDecision({ kind: 'read', entries }, MATTER, STORED);
    expect(found.kind === 'agrees' ? found.kind : found.reason).toBe(expected);
  });

  it('is not believed where the journal does not fit together, which is said', () => {
    const broken = { kind: 'broken', explanation: 'Line 3 was changed.' } as const;
    expect(judgeStoredDecision(broken, MATTER, STORED)).toMatchObject({
      reason: 'ApprovalNotJournaled',
      explanation: expect.stringContaining('Line 3 was changed.'),
    });
  });
});

describe('what was asked for', () => {
  const asked = entry({ class: 'restore.request', cause: 'oid-omar' });

  it.each<[string, JournalEntry[], boolean]>([
    ['stands in the journal', [asked], true],
    ['stands there beside another of the same moment', [{ ...asked, detail: { digest: 'd0' } }, asked], true],
    ['was asked by another person', [{ ...asked, cause: 'oid-eve' }], false],
    ['was something else', [{ ...asked, detail: { digest: 'd2' } }], false],
    ['does not stand there', [entry()], false],
  ])('%s', (_, entries, expected) => {
    expect(wasAsked(entries, MATTER)).toBe(expected);
  });
});

describe('reading one instance', () => {
  const lines = (entries: JournalEntry[], after = GENESIS) => {
    let previous = after;
    return entries.map((each) => {
      const { line, hash } = chainLine(previous, each, sha256);
      previous = hash;
      return line;
    });
  };
  const read = (all: string[]) => {
    const reader = createInstanceReader(MATTER.id, sha256);
    for (const line of all) if (!reader.feed('2030/01/01.jsonl', line)) break;
    return reader.finish();
  };
  const other = entry({ id: 'x', instance: 'restore-contoso-2' });

  it('starts on any day, and picks what belongs to it', () => {
    expect(read(lines([other, entry(), other], 'e'.repeat(64)))).toMatchObject({
      kind: 'read',
      entries: [{ id: 'restore-contoso-1:decision' }],
    });
    expect(read([])).toEqual({ kind: 'read', entries: [] });
  });

  it('finds a line that was put in anywhere but at the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3 }), (at) => {
        const honest = lines([other, other, other, other]);
        const before = at === 0 ? GENESIS : (JSON.parse(honest[at - 1] ?? '{}') as { hash: string }).hash;
        const [forged = ''] = lines([entry()], before);
        expect(read(honest.toSpliced(at, 0, forged)).kind).toBe('broken');
      }),
    );
  });

  it('says where a line is no entry', () => {
    expect(read([...lines([other]), 'forged'])).toMatchObject({
      kind: 'broken',
      explanation: expect.stringContaining('line 2 of 2030/01/01.jsonl'),
    });
    expect(read(['forged']).kind).toBe('broken');
  });
});
