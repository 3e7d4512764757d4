import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldCustody } from '../../../shared/custody/ledger.ts';
import { judgeQuorum } from '../../../shared/custody/quorum.ts';
import { BUILT_IN_HSM_RULE } from '../../../shared/policy/hsm-rule.ts';
import { listConsumers } from '../../../shared/recovery/consumers.ts';
import { judgePrerequisites, mayBegin, type RecoveryFacts } from '../../../shared/recovery/prerequisites.ts';
import { renderRunbookHtml, renderRunbookText } from '../../../shared/recovery/render-runbook.ts';
import { buildRunbook, judgeReport, type RecoveryNames, type StepReport } from '../../../shared/recovery/runbook.ts';
import { aRecord, daysAgo, NOW } from '../backup/builders.ts';
import { aLedger, FINGERPRINTS, fact } from '../custody/builders.ts';

const NAMES: RecoveryNames = {
  recovery: 'recovery-1',
  hsm: 'contoso',
  hsmUri: 'https://contoso.managedhsm.azure.net',
  newHsm: 'contoso-2',
  newHsmUri: 'https://contoso-2.managedhsm.azure.net',
  resourceGroup: 'keys-rg',
  region: 'northeurope',
  backup: 'mhsm-contoso-20300115020000',
  takenOn: '2030-01-15T02:00:00Z',
  quorum: 2,
  holders: ['Ada', 'Bob', 'Eve'],
  administrators: ['Grace'],
};

const report = (step: StepReport['step'], changes: Partial<StepReport> = {}): StepReport => ({
  step,
  result: 'done',
  by: 'Grace',
  at: daysAgo(0),
  evidence: 'seen',
  ...changes,
});

const ORDER = buildRunbook(NAMES, []).steps.map(({ name }) => name);

describe('the runbook', () => {
  it('begins with a person, and waits for one', () => {
    expect(buildRunbook(NAMES, [])).toMatchObject({
      ready: ['confirmLoss'],
      waiting: ['confirmLoss'],
      done: 0,
      total: 15,
      complete: false,
    });
  });

  it('lets steps that do not need each other go on at the same time', () => {
    const runbook = buildRunbook(
      NAMES,
      ['confirmLoss', 'prerequisites', 'createHsm'].map((step) => report(step as StepReport['step'])),
    );
    expect(runbook.ready).toEqual(['assemble', 'enterRecovery', 'attachIdentity']);
    expect(runbook.waiting).toEqual(['assemble']);
  });

  it('offers a step that failed again', () => {
    const runbook = buildRunbook(NAMES, [report('confirmLoss'), report('prerequisites', { result: 'failed' })]);
    expect(runbook.ready).toEqual(['prerequisites']);
    expect(
      buildRunbook(NAMES, [
        report('confirmLoss'),
        report('prerequisites', { result: 'failed' }),
        report('prerequisites'),
      ]).done,
    ).toBe(2);
  });

  it.each<[string, StepReport['step'][], StepReport, string]>([
    ['before its turn', ['confirmLoss'], report('restore'), 'StepBlocked'],
    ['twice', ['confirmLoss'], report('confirmLoss'), 'StepDone'],
    ['that is skipped and must not be', [], report('confirmLoss', { result: 'skipped' }), 'NeverSkipped'],
    ['by a person without evidence', [], report('confirmLoss', { evidence: ' ' }), 'EvidenceMissing'],
  ])('refuses a report %s', (_title, done, next, reason) => {
    expect(
      judgeReport(
        buildRunbook(
          NAMES,
          done.map((step) => report(step)),
        ),
        next,
      ),
    ).toMatchObject({ kind: 'refused', reason });
  });

  it('is filled with real names and keeps private keys offline', () => {
    const reWrap = buildRunbook(NAMES, []).steps.find(({ name }) => name === 'reWrap');
    expect(reWrap).toMatchObject({ actor: 'offline', who: '2 of Ada, Bob, Eve' });
    expect(reWrap?.commands.join()).toContain('contoso-2-transfer.json');
  });

  it('is resumed from its reports alone, and ends however they are interleaved', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: ORDER.length, maxLength: ORDER.length }), (picks) => {
        let reports: StepReport[] = [];
        for (const pick of picks) {
          const { ready } = buildRunbook(NAMES, reports);
          const next = ready[pick % ready.length];
          expect(next).toBeDefined();
          if (next === undefined) return;
          expect(judgeReport(buildRunbook(NAMES, reports), report(next)).kind).toBe('accepted');
          reports = [...reports, report(next)];
        }
        expect(buildRunbook(NAMES, JSON.parse(JSON.stringify(reports)) as StepReport[])).toMatchObject({
          complete: true,
          ready: [],
        });
      }),
      { numRuns: 50 },
    );
  });

  it('has no step that waits for itself', () => {
    for (const { name, after } of buildRunbook(NAMES, []).steps) {
      expect(after.every((before) => ORDER.indexOf(before) < ORDER.indexOf(name))).toBe(true);
    }
  });
});

const custody = (...more: ReturnType<typeof aLedger>) => foldCustody('sd-1', [...aLedger(), ...more]);
const lost = (index: number) =>
  fact({ kind: 'ShareLost', certificate: FINGERPRINTS[index] ?? '', reason: 'stolen' }, 1);
const quorum = (...more: ReturnType<typeof aLedger>) => judgeQuorum(custody(...more), BUILT_IN_HSM_RULE.custody, NOW);

const facts = (changes: Partial<RecoveryFacts> = {}): RecoveryFacts => ({
  hsm: 'contoso',
  region: 'westeurope',
  rule: { ...BUILT_IN_HSM_RULE, geography: { regions: ['westeurope', 'northeurope'] }, notice: { notify: [] } },
  records: [aRecord(daysAgo(1), { state: 'proven' })],
  quorum: quorum(),
  fileCopies: [{ copy: 'copy-1', place: 'Berlin' }],
  administrators: ['Grace', 'Linus'],
  targetRegion: 'northeurope',
  dns: { zone: 'privatelink.managedhsm.azure.net', ready: true },
  now: NOW,
  ...changes,
});

describe('the prerequisites', () => {
  const stateOf = (of: RecoveryFacts, name: string) => judgePrerequisites(of).find((each) => each.name === name);

  it('are met when everything is there', () => {
    const all = judgePrerequisites(facts());
    expect(all.map(({ state }) => state)).toEqual(Array.from({ length: 8 }, () => 'met'));
    expect(mayBegin(all)).toBe(true);
  });

  it('are unknown, not failed, when nothing could be read: a person looks, and the work may begin', () => {
    const { hsm, region, rule, now } = facts();
    const all = judgePrerequisites({ hsm, region, rule, now });
    expect(all.every(({ state, nextStep }) => state === 'unknown' && nextStep !== undefined)).toBe(true);
    expect(mayBegin(all)).toBe(true);
  });

  it.each<[string, Partial<RecoveryFacts>, string, string, boolean]>([
    ['no backup', { records: [] }, 'usableBackup', 'unmet', false],
    ['an old backup', { records: [aRecord(daysAgo(5))] }, 'backupAge', 'unmet', true],
    ['a backup that was never restored', { records: [aRecord(daysAgo(1))] }, 'provenBackup', 'unmet', true],
    ['a quorum that is lost', { quorum: quorum(lost(0), lost(1)) }, 'quorum', 'unmet', false],
    ['a quorum at risk, which still stands', { quorum: quorum(lost(0)) }, 'quorum', 'met', true],
    ['a file that nobody recorded', { fileCopies: [] }, 'securityDomainFile', 'unknown', true],
    ['nobody who is Administrator', { administrators: [] }, 'administratorRole', 'unmet', false],
    ['one Administrator of two', { administrators: ['Grace'] }, 'administratorRole', 'unmet', true],
    ['a region that is not allowed', { targetRegion: 'eastus' }, 'targetRegion', 'unmet', false],
    ['a zone that is not ready', { dns: { zone: 'z', ready: false } }, 'dns', 'unmet', true],
  ])('say of %s what to do next', (_title, changes, name, state, begins) => {
    const found = stateOf(facts(changes), name);
    expect(found?.state).toBe(state);
    if (state !== 'met') expect(found?.nextStep).toBeTruthy();
    expect(mayBegin(judgePrerequisites(facts(changes)))).toBe(begins);
  });
});

const KEYS = [
  { name: 'storage-cmk', tags: { consumer: 'storage-claims; storage-hr', owner: 'Data Platform' } },
  { name: 'payments-kek', tags: { consumer: 'card-vault' } },
  { name: 'orphan', tags: {} },
];
const ADDRESSES = { from: 'https://old.example', to: 'https://new.example' };

describe('the consumers', () => {
  it('are listed from the tags, open ones first, with what is known to be done', () => {
    const list = listConsumers(KEYS, ADDRESSES, [
      { consumer: 'Card-Vault', key: 'payments-kek', by: 'Pat', at: daysAgo(0) },
    ]);
    expect(list.tasks.map(({ consumer, state, to }) => [consumer, state, to])).toEqual([
      ['storage-claims', 'open', 'https://new.example/keys/storage-cmk'],
      ['storage-hr', 'open', 'https://new.example/keys/storage-cmk'],
      ['card-vault', 'done', 'https://new.example/keys/payments-kek'],
    ]);
    expect(list).toMatchObject({
      done: 1,
      total: 3,
      keysWithoutConsumer: ['orphan'],
      text: '1 of 3 consumers re-pointed; 1 keys name no consumer.',
    });
  });

  it('keep a report about a consumer that no tag names', () => {
    const list = listConsumers(KEYS, ADDRESSES, [{ consumer: 'ghost', key: 'orphan', by: 'Pat', at: daysAgo(0) }]);
    expect(list.tasks).toContainEqual(expect.objectContaining({ consumer: 'ghost', state: 'done' }));
  });

  it('never lose ground: each report closes one task at most, and a repeat none', () => {
    const reports = fc.array(
      fc.record({
        consumer: fc.constantFrom('storage-claims', 'storage-hr', 'card-vault'),
        key: fc.constantFrom('storage-cmk', 'payments-kek'),
      }),
    );
    fc.assert(
      fc.property(reports, (some) => {
        const stated = some.map((each) => ({ ...each, by: 'Pat', at: daysAgo(0) }));
        const once = listConsumers(KEYS, ADDRESSES, stated);
        expect(listConsumers(KEYS, ADDRESSES, [...stated, ...stated])).toEqual(once);
        expect(once.done).toBeLessThanOrEqual(stated.length);
      }),
    );
  });
});

describe('the written runbook', () => {
  const view = (names = NAMES) => ({
    runbook: buildRunbook(names, [report('confirmLoss'), report('prerequisites', { by: 'automation' })]),
    prerequisites: judgePrerequisites(facts({ records: [] })),
    consumers: listConsumers(KEYS, ADDRESSES, []),
    at: daysAgo(0),
  });

  it('reads in a terminal: state, names, commands, consumers', () => {
    const text = renderRunbookText(view());
    for (const told of [
      '[x] 1. Confirm that contoso is lost',
      '[>] 3. Bring the share holders together',
      '[unmet] A verified backup exists',
      '$ az keyvault create --hsm-name contoso-2',
      'shows by:',
      '[ ] storage-claims (Data Platform)',
    ]) {
      expect(text).toContain(told);
    }
  });

  it('reads in a browser, stands alone and is escaped', () => {
    const tags = (html: string) => html.match(/<\/?[a-z][a-z0-9]*/gi);
    const html = renderRunbookHtml(view());
    expect(html).not.toMatch(/<(script|link|img)|\ssrc=|\shref=/i);
    const hostile = renderRunbookHtml(
      view({ ...NAMES, hsm: '<script>x</script>', holders: ['"><b>'], newHsm: "'&lt;" }),
    );
    expect(tags(hostile)).toEqual(tags(html));
  });

  it('keeps one line one line, whatever names hold', () => {
    const lines = (text: string) => text.split('\n').length;
    expect(lines(renderRunbookText(view({ ...NAMES, hsm: 'a\nb\u2028c', newHsm: 'd\r\ne' })))).toBe(
      lines(renderRunbookText(view())),
    );
  });
});
