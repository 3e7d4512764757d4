import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renderIncidentHtml } from '../../../shared/incident/render-report-html.ts';
import { buildIncidentReport } from '../../../shared/incident/report.ts';
import { anIncident } from './builders.ts';

const closed = { at: '2030-01-04T12:00:00.000Z', by: 'oid-ana', note: 'looked at', report: '' };
const HOSTILE = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;`;

function aReport(text: string) {
  const at = '2030-01-01T00:00:00.000Z';
  const incident = anIncident(
    {
      subject: { kind: 'caller', caller: { oid: text, upn: text, app: text } },
      keys: [text],
      versions: { [text]: [text] },
      verdict: { verdict: 'confirmed', by: text, at, note: text },
      verification: { at, result: 'unknown', explanation: text },
      containment: { at, kind: 'partial', remains: [text] },
      evidence: { round: 1, at, manifest: text, sha256: text, records: 1, gaps: [text], absent: [text], spans: false },
      removed: [{ step: text, removedAt: at, id: text, principalId: text, roleDefinitionId: text, scope: text }],
      timeline: [{ at: text, kind: text, by: text, text }],
      plan: [
        {
          ...{ id: text, kind: 'revoke', doneBy: 'app', title: text, why: text, mode: 'auto', state: 'done' },
          ...{ compensation: text, shown: [text], commands: [text], detail: text, reason: text },
          decisions: [{ by: text, name: text, at, decision: 'approve', note: text }],
        },
      ],
    },
    { title: text, detector: text, from: text, until: text },
  );
  return buildIncidentReport(incident, { installation: text, closed: { ...closed, by: text, note: text } });
}

test('whatever rows and people wrote, the page holds no markup of theirs', () => {
  const html = renderIncidentHtml(aReport(HOSTILE));
  expect(html).not.toContain('<script');
  expect(html).not.toContain('<img');
  expect(html).not.toContain("onerror='");
  expect(html).toContain('&lt;script&gt;');
});

test('any text at all leaves the same tags behind', () => {
  const tags = (html: string) => (html.match(/<[a-z!/][^>]*>/gi) ?? []).map((tag) => tag.split(/[\s>]/)[0]).join(' ');
  const plain = tags(renderIncidentHtml(aReport('a')));
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (text) => {
      expect(tags(renderIncidentHtml(aReport(`x${text}`)))).toBe(plain);
    }),
    { numRuns: 60 },
  );
});

test('the page stands alone: no script, link, image or font is fetched', () => {
  const html = renderIncidentHtml(aReport('a'));
  expect(html).not.toMatch(/<(script|link|img|iframe)|url\(|@import|https?:/);
});

test('says what is not known as unknown', () => {
  const report = aReport('the log was away');
  expect(report.unknown).toEqual(['the log was away']);
});

test('lists what was not collected, whether it was not there or not readable', () => {
  const report = aReport('no sign-in logs');
  expect(report.notCollected).toEqual(['no sign-in logs', 'no sign-in logs']);
  expect(renderIncidentHtml(report)).toContain('<h2>What was not collected</h2>');
});

test('reads as people write: names where they are known, and no raw instants', () => {
  const at = '2030-01-02T03:04:05.678Z';
  const set = { at, manifest: 'm', sha256: 's', records: 2, keys: ['wages'] };
  const incident = anIncident({
    verdict: { verdict: 'confirmed', by: 'oid-ana', name: 'Ana Approver', at, note: 'a stolen laptop' },
    containment: { at, kind: 'partial', remains: [`revoke-1: expired. Nobody decided until ${at}.`] },
    evidence: { round: 1, at, manifest: 'm', sha256: 's', records: 9, gaps: [], spans: true, more: [set] },
    timeline: [{ at, kind: 'plan', by: 'automation', text: `It waits until ${at}.` }],
    plan: [
      {
        ...{
          id: 'rotate-orders',
          kind: 'rotate',
          doneBy: 'app',
          title: 'Rotate',
          why: '',
          mode: 'auto',
          state: 'done',
        },
        ...{ compensation: '', shown: [], commands: [], decisions: [], detail: `Made on ${at}.` },
      },
    ],
  });
  const html = renderIncidentHtml(buildIncidentReport(incident, { installation: 'test', closed }));
  expect(html).toContain('Ana Approver: a stolen laptop');
  expect(html).toContain('2 records about wages, which came to it later');
  expect(html).not.toMatch(/\dT\d\d:\d\d/);
});
