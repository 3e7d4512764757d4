import { describe, expect, test } from 'vitest';
import type { Incident } from '../../../shared/incident/incident.ts';
import { renderIncidentHtml } from '../../../shared/incident/render-report-html.ts';
import { buildIncidentReport } from '../../../shared/incident/report.ts';
import { isWatched, showWatch, watchOf, watchText } from '../../../shared/incident/watch.ts';
import { anIncident, MALLORY } from './builders.ts';

const UNTIL = '2030-01-04T00:00:00.000Z';
const during = new Date('2030-01-02T00:00:00.000Z');
const verdict = (of: 'benign' | 'confirmed'): Partial<Incident> => ({
  status: 'closed',
  verdict: { verdict: of, by: 'ana', at: '', note: '' },
});

describe('a watch', () => {
  test('is of the caller and the keys of its incident', () => {
    expect(watchOf(anIncident(), UNTIL)).toMatchObject({ caller: MALLORY, keys: ['orders'], until: UNTIL });
    expect(watchOf(anIncident({ subject: { kind: 'key', key: 'orders' } }), UNTIL)).not.toHaveProperty('caller');
  });

  test('is of no key that was only named: it would raise what is found of everybody who uses it', () => {
    const incident = anIncident({ watchUntil: UNTIL }, { keys: ['named', 'orders'], keysUsed: ['orders'] });
    expect(watchOf(incident, UNTIL).keys).toEqual(['orders']);
    expect(showWatch(incident)?.of).toEqual([MALLORY.upn, 'key orders']);
  });

  test.each<[string, Partial<Incident>, Date, boolean]>([
    ['lasts while its time has not passed', {}, during, true],
    ['ends by itself', {}, new Date(UNTIL), false],
    ['lasts over an incident that was closed early', verdict('confirmed'), during, true],
    ['ends where it turned out to be somebody’s work', verdict('benign'), during, false],
  ])('%s', (_title, changes, now, expected) => {
    expect(isWatched(anIncident({ watchUntil: UNTIL, ...changes }), now)).toBe(expected);
  });

  test('has not begun before the response comes to it', () => {
    expect(isWatched(anIncident(), during)).toBe(false);
    expect(showWatch(anIncident())).toBeUndefined();
  });

  test('says so where nobody and no key is known that could be watched', () => {
    const unknown = anIncident({ subject: { kind: 'hsm' }, keys: [], keysUsed: [], watchUntil: UNTIL });
    expect(watchText(unknown)).toBe(
      `Looked for until ${UNTIL}; nobody and no key is known that could be watched harder.`,
    );
  });

  test('stands in the report, with what weighed more because of it', () => {
    const incident = anIncident({ watchUntil: UNTIL }, { watchedFor: 'incident-contoso-0123456789abcdef' });
    const closed = { at: UNTIL, by: 'ana', note: '', report: '' };
    const report = buildIncidentReport(incident, { installation: 'test', closed });
    expect(report.watch).toEqual({ until: UNTIL, of: [MALLORY.upn, 'key orders'], raised: 1 });
    expect(renderIncidentHtml(report)).toContain(
      'mallory@contoso.example, key orders; until 2030-01-04 00:00:00 UTC at most, 1 finding weighed more',
    );
  });
});
