import { describe, expect, test } from 'vitest';
import type { DetectionFacts } from '../../../shared/detection/detection-facts.ts';
import { ALICE, aRule, detect, grownMemory, hsmCall, someFacts } from './builders.ts';

const iso = (time: string) => `2026-03-${time.includes('T') ? time : `12T${time}`}:00.000Z`;
const listing = (time: string) =>
  hsmCall({ class: 'read.list', path: '/keys', first: iso(time), last: iso(time), arrived: iso(time) });
const act = (caller: string, time: string) => ({
  ...{ hsm: 'contoso-hsm', operation: 'Microsoft.KeyVault/managedHSMs/write', resource: '/hsm', caller },
  ...{ at: iso(time), succeeded: true, correlationId: `c-${time}` },
});

/** Windows one after the other; of each, when the sessions that it tells of began. */
function told(...windows: (Partial<DetectionFacts> & { now: string })[]): string[][] {
  let memory = grownMemory();
  return windows.map(({ now, ...facts }) => {
    const judged = detect(someFacts({ now: iso(now), breakGlass: [ALICE], ...facts }), memory, aRule());
    memory = judged.memory;
    const findings = judged.findings.filter(({ detector }) => detector === 'break-glass-use');
    for (const finding of findings) expect(finding).toMatchObject({ severity: 'High', response: 'notify' });
    return findings.map(({ from }) => from.slice(8, 16));
  });
}

describe('a session of an emergency account', () => {
  test('is told once, at its first call, and lasts while no hour goes by without one', () => {
    expect(
      told(
        { now: '10:05', calls: [listing('10:02')] },
        { now: '10:50', calls: [listing('10:45')] },
        { now: '11:45', calls: [listing('11:40')] },
        { now: '12:50', calls: [listing('12:45')] },
      ),
    ).toEqual([['12T10:02'], [], [], ['12T12:45']]);
  });

  test('that goes on all day is told again each day', () => {
    const half = Array.from({ length: 50 }, (_, index) => {
      const minutes = 10 * 60 + index * 30;
      const time = `${12 + Math.floor(minutes / 1440)}T${new Date(minutes * 60_000).toISOString().slice(11, 16)}`;
      return { now: time, calls: [listing(time)] };
    });
    expect(told(...half).flat()).toEqual(['12T10:00', '13T10:00']);
  });

  test('is not begun again by rows that come late, and two sessions in one window are two', () => {
    expect(
      told(
        { now: '10:05', calls: [listing('10:02')] },
        { now: '10:40', calls: [listing('09:58')] },
        { now: '18:00', calls: [listing('13:00'), listing('15:00')] },
      ),
    ).toEqual([['12T10:02'], [], ['12T13:00', '12T15:00']]);
  });

  test('is told of an account that was in use before it was named one', () => {
    expect(
      told({ now: '10:05', calls: [listing('10:02')], breakGlass: [] }, { now: '10:20', calls: [listing('10:17')] }),
    ).toEqual([[], ['12T10:17']]);
  });

  test('shows in Resource Manager by its object id, or by the name that its calls bore', () => {
    expect(
      told(
        { now: '10:05', controlPlane: [act(ALICE.toUpperCase(), '10:01')] },
        { now: '12:05', calls: [listing('12:02')] },
        { now: '15:05', controlPlane: [act('Alice@contoso.example', '15:01'), act('bob@contoso.example', '15:02')] },
      ),
    ).toEqual([['12T10:01'], ['12T12:02'], ['12T15:01']]);
  });

  test('weighs the same whatever it did, and is never answered by containment', () => {
    const download = hsmCall({ class: 'sd.download', path: '/securitydomain/download', status: 202 });
    const { findings } = detect(someFacts({ calls: [download], breakGlass: [ALICE] }), grownMemory(), aRule());
    expect(findings.map(({ detector, severity }) => [detector, severity])).toEqual(
      expect.arrayContaining([
        ['break-glass-use', 'High'],
        ['security-domain-access', 'Critical'],
      ]),
    );
  });
});
