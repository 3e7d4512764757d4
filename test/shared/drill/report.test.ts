import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CostEstimate } from '../../../shared/drill/cost-guard.ts';
import { printSeconds } from '../../../shared/drill/print-seconds.ts';
import { renderReportHtml } from '../../../shared/drill/render-report-html.ts';
import {
  buildDrillReport,
  type DrillFacts,
  type DrillReport,
  type DrillStep,
  type TearDown,
} from '../../../shared/drill/report.ts';
import { compareWithManifest } from '../../../shared/restore/compare-with-manifest.ts';
import { aManifest, aRecord } from '../backup/builders.ts';

const step = (name: string, from: string, to: string, changes: Partial<DrillStep> = {}): DrillStep => ({
  name,
  title: `Step ${name}`,
  startedOn: `2030-01-15T${from}:00Z`,
  endedOn: `2030-01-15T${to}:00Z`,
  result: 'done',
  ...changes,
});

const STEPS = [
  step('prepareTarget', '12:00', '12:20'),
  step('safetyBackup', '12:20', '12:52', { waitedSeconds: 1860 }),
  step('restore', '12:52', '13:10'),
  step('compare', '13:10', '13:12'),
  step('sentinels', '13:12', '13:13'),
  step('tearDown', '13:13', '13:20'),
];
const withStep = (name: string, changes: Partial<DrillStep>) =>
  STEPS.map((each) => (each.name === name ? { ...each, ...changes } : each));

const manifest = aManifest();
const sentinel = { key: 'payments-kek', version: 'a'.repeat(32), operation: 'unwrapKey', result: 'ok' as const };

const facts = (changes: Partial<DrillFacts> = {}): DrillFacts => ({
  drill: 'drill-contoso-1',
  installation: 'embedded',
  hsm: 'contoso',
  target: { hsm: 'contoso-drill', kind: 'temporary', region: 'northeurope' },
  backup: aRecord('2030-01-15T02:00:00Z'),
  startedOn: '2030-01-15T12:00:00Z',
  endedOn: '2030-01-15T13:20:00Z',
  steps: STEPS,
  comparison: compareWithManifest(manifest, manifest),
  sentinels: [sentinel],
  rule: { rpo: 'P2D', drills: { rto: 'PT8H' } },
  ...changes,
});
const TORN_DOWN: TearDown = {
  ...{ hsm: 'drill-0123', state: 'removed', cost: 574.56, text: 'It was deleted.' },
  ...{ removedOn: '2030-01-15T13:20:00Z', goneOn: '2030-01-22T13:20:00Z' },
  command: 'az keyvault purge --hsm-name drill-0123 --location northeurope',
};
const COST: CostEstimate = { currency: 'USD', softDeletedDays: 7, atMost: 601.92, text: '601.92 USD together.' };
const { comparison: _, ...uncompared } = facts();

describe('buildDrillReport', () => {
  it('measures recovery point and recovery time', () => {
    expect(buildDrillReport(facts())).toMatchObject({
      verdict: 'passed',
      rpo: { seconds: 36_000, result: 'met' },
      rto: { seconds: 4380, objectiveSeconds: 28_800, result: 'met' },
      reasons: ['All 2 keys came back as the manifest says, and 1 sentinel opened.'],
      nextSteps: [],
    });
  });

  const broken = compareWithManifest(manifest, { ...manifest, keys: [] });
  it.each<[string, DrillFacts, string, string]>([
    ['a critical difference', facts({ comparison: broken }), 'failed', '2 differences'],
    [
      'a sentinel that does not open',
      facts({ sentinels: [{ ...sentinel, result: 'failed', detail: 'other bytes' }] }),
      'failed',
      'other bytes',
    ],
    [
      'a step that failed',
      facts({ steps: withStep('restore', { result: 'failed', detail: 'job 7' }) }),
      'failed',
      'Step restore failed: job 7',
    ],
    [
      'a restore that took too long',
      facts({ rule: { rpo: 'P2D', drills: { rto: 'PT1H' } } }),
      'failed',
      '1 h 13 min, 13 min more than the 1 h allowed',
    ],
    [
      'a backup that was too old',
      facts({ rule: { rpo: 'PT6H', drills: { rto: 'PT8H' } } }),
      'failed',
      '10 h, 4 h more than the 6 h allowed',
    ],
    ['no comparison', uncompared, 'inconclusive', 'not compared'],
    ['no sentinel', facts({ sentinels: [] }), 'inconclusive', 'No sentinel'],
    [
      'a sentinel that was not tried',
      facts({ sentinels: [{ ...sentinel, result: 'notTried' }] }),
      'inconclusive',
      'not tried',
    ],
    [
      'a step that was skipped',
      facts({ steps: withStep('sentinels', { result: 'skipped' }) }),
      'inconclusive',
      'was skipped',
    ],
  ])('judges %s', (_title, of, verdict, reason) => {
    const report = buildDrillReport(of);
    expect(report.verdict).toBe(verdict);
    expect(report.reasons.join(' ')).toContain(reason);
    expect(report.nextSteps.length).toBeGreaterThan(0);
  });

  const late = { rule: { rpo: 'P2D', drills: { rto: 'PT1H' } } };
  const old = { rule: { rpo: 'PT6H', drills: { rto: 'PT8H' } } };
  it.each<[string, DrillFacts, DrillReport['verdict'], DrillReport['proof'], string[], string]>([
    ['a good restore', facts(), 'passed', 'proven', [], 'Passed'],
    ['one that was slow', facts(late), 'failed', 'proven', ['drills.rto'], 'Objectives missed'],
    ['one of an old backup', facts(old), 'failed', 'proven', ['backup.schedule'], 'Objectives missed'],
    [
      'a slow one with a key missing',
      facts({ ...late, comparison: broken }),
      'failed',
      'contradicted',
      ['do not count on the backup', 'drills.rto'],
      'Failed',
    ],
    [
      'a slow one without sentinels',
      facts({ ...late, sentinels: [] }),
      'failed',
      'undecided',
      ['Clear up', 'drills.rto'],
      'Objectives missed',
    ],
    ['one that was not compared', uncompared, 'inconclusive', 'undecided', ['Clear up'], 'Inconclusive'],
  ])('parts what it says of the backup from the objectives: %s', (_title, of, verdict, proof, next, word) => {
    const report = buildDrillReport(of);
    expect(report).toMatchObject({ verdict, proof });
    for (const each of next) expect(report.nextSteps.join(' ')).toContain(each);
    if (proof !== 'contradicted') expect(report.nextSteps.join(' ')).not.toContain('do not count');
    expect(renderReportHtml(report)).toContain(word);
  });

  it('names the step that took most of a restore that was too slow', () => {
    const { reasons, nextSteps } = buildDrillReport(facts(late));
    expect(nextSteps).toEqual([expect.stringContaining('Most of it was Step safetyBackup, with 32 min.')]);
    expect(reasons.at(-1)).toContain('came back as the manifest says');
  });

  it('passes a good restore whose tear-down failed, and asks for a hand', () => {
    const report = buildDrillReport(facts({ steps: withStep('tearDown', { result: 'failed', detail: 'conflict' }) }));
    expect(report).toMatchObject({
      verdict: 'passed',
      nextSteps: [expect.stringContaining('Remove the temporary HSM by hand')],
    });
  });

  it('measures no recovery time of a restore that was not verified', () => {
    const report = buildDrillReport(facts({ steps: withStep('compare', { result: 'failed' }) }));
    expect(report.rto).not.toHaveProperty('seconds');
    expect(report.rto.result).toBe('notMeasured');
  });

  it('tells the time that people took beside the recovery time, and holds it against nobody', () => {
    const people = facts({ peopleSeconds: 3600, rule: { rpo: 'P2D', drills: { rto: 'PT1H' } } });
    const report = buildDrillReport(people);
    expect(report).toMatchObject({ verdict: 'passed', rto: { seconds: 780, peopleSeconds: 3600, result: 'met' } });
    expect(renderReportHtml(report)).toContain('beside the recovery time');
  });

  it('does not fail an old backup for a drill that nobody came to', () => {
    const steps = [step('rehearsal', '12:00', '13:00', { result: 'skipped', detail: 'nobody came' })];
    const old = buildDrillReport({ ...uncompared, steps, rule: { rpo: 'PT6H', drills: { rto: 'PT8H' } } });
    expect(old).toMatchObject({ verdict: 'inconclusive', rpo: { result: 'missed' } });
    expect(old.reasons.join(' ')).toContain('nobody came');
  });

  it('survives JSON unchanged, as evidence must', () => {
    const report = buildDrillReport(facts());
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });
});

describe('the page of a drill', () => {
  it('tells verdict, figures, backup and steps in words', () => {
    const html = renderReportHtml(buildDrillReport(facts()));
    for (const told of [
      'Passed',
      '1 h 13 min',
      'objective met, 8 h allowed',
      'mhsm-contoso-20300115020000',
      '31 min of it in waiting',
      '✓ opened',
    ]) {
      expect(html).toContain(told);
    }
  });

  it.each<[TearDown['state'], string]>([
    ['removed', '574.56 USD'],
    ['nothingMade', 'nothing was made'],
    ['remains', 'still there'],
  ])('tells of a temporary HSM that is %s what it costs and what is left to do', (state, told) => {
    const html = renderReportHtml(buildDrillReport(facts({ tearDown: { ...TORN_DOWN, state }, cost: COST })));
    for (const each of [told, 'drill-0123', 'az keyvault purge', '2030-01-22 13:20:00 UTC'])
      expect(html).toContain(each);
  });

  it('stands alone: no script, link, image or address to load', () => {
    const html = renderReportHtml(buildDrillReport(facts()));
    expect(html).not.toMatch(/<(script|link|img|iframe|object)|url\(|@import|\ssrc=|\shref=/i);
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
  });

  it('can be read by those who do not see it: one first heading, named drawing, tables with headings', () => {
    const html = renderReportHtml(buildDrillReport(facts()));
    expect(html.match(/<h1>/g)).toHaveLength(1);
    expect(html).toMatch(/<svg [^>]*role="img" aria-label="Timeline of 6 steps over 1 h 20 min"/);
    expect(html.match(/<table>/g)?.length).toBe(html.match(/<caption>/g)?.length);
    expect(html).toContain('<th scope="col">');
  });

  it('draws whatever instants it is given inside its frame', () => {
    const instant = fc.constantFrom('2030-01-15T11:00:00Z', '2030-01-15T12:30:00Z', '2030-01-15T15:00:00Z', 'soon');
    fc.assert(
      fc.property(fc.array(fc.record({ startedOn: instant, endedOn: instant }), { maxLength: 5 }), (spans) => {
        const steps = spans.map((span, index) => ({ ...step(`s${index}`, '12:00', '12:01'), ...span }));
        const html = renderReportHtml(buildDrillReport(facts({ steps })));
        for (const [, x, width] of html.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"/g)) {
          expect(Number(x) + Number(width)).toBeLessThanOrEqual(770.2);
        }
        expect(html.match(/<rect /g)?.length ?? 0).toBe(steps.length);
        expect(html).not.toContain('NaN px');
      }),
      { numRuns: 30 },
    );
  });

  it('has the same elements whatever its texts hold: nothing in it becomes markup', () => {
    const hostile = fc.constantFrom(
      '<script>alert(1)</script>',
      '"><svg onload=x>',
      "'&amp;</td>",
      '</style><b>',
      'plain',
    );
    const tags = (html: string) => html.match(/<\/?[a-z][a-z0-9]*/gi) ?? [];
    const of = (value: string) =>
      renderReportHtml(
        buildDrillReport(
          facts({
            hsm: value,
            installation: value,
            drill: value,
            target: { hsm: value, kind: 'standing' },
            tearDown: { hsm: value, state: 'removed', text: value, command: value },
            steps: [step('restore', '12:00', '12:10', { title: value, detail: value })],
            sentinels: [{ ...sentinel, key: value, detail: value }],
            comparison: compareWithManifest(
              aManifest({ keys: manifest.keys.map((key) => ({ ...key, name: value })) }),
              manifest,
            ),
            backup: aRecord('2030-01-15T02:00:00Z', { id: value, notCovered: [value] }),
          }),
        ),
      );
    fc.assert(
      fc.property(hostile, (value) => {
        expect(tags(of(value))).toEqual(tags(of('x')));
      }),
      { numRuns: 20 },
    );
  });
});

describe('printSeconds', () => {
  it.each([
    [0, '0 s'],
    [0.84, '0.8 s'],
    [42, '42 s'],
    [3600, '1 h'],
    [4380, '1 h 13 min'],
    [180_000, '2 d 2 h'],
  ])('tells %d as %s', (seconds, text) => {
    expect(printSeconds(seconds)).toBe(text);
  });
});
