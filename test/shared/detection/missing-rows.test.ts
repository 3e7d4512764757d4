import { describe, expect, test } from 'vitest';
import { aRule, detect, grownMemory, OURS, someFacts } from './builders.ts';

const rule = aRule({ canary: { oid: OURS, key: 'canary', everyMinutes: 5 } });
const quarter = (time: string, lastArrival: string, canary: number) => ({
  ...{ hsm: 'contoso-hsm', quarter: `2026-03-12T${time}:00.000Z`, rows: 20, canary, lag: { p50: 200, p99: 500 } },
  ...{ lastEvent: '2026-03-12T09:29:00.000Z', lastArrival: `2026-03-12T${lastArrival}:00.000Z` },
});
const quarters = (lastArrival: string, canary = 3) => ({
  arrivals: [quarter('09:00', lastArrival, canary), quarter('09:15', lastArrival, canary)],
  serviceHits: ['09:00', '09:15'].map((time) => ({ quarter: `2026-03-12T${time}:00.000Z`, hits: 400 })),
});

describe('two quarters of which the log shows a twentieth', () => {
  test.each([
    [
      'are a log that is thinned by choice, where our own rows arrived and nothing more comes',
      quarters('09:35'),
      'Critical',
    ],
    ['are late while rows of them still arrive, in whatever order', quarters('10:03'), 'Medium'],
    ['are late where our own are missing too', quarters('09:35', 0), 'Medium'],
  ])('%s', (_, facts, severity) => {
    const { findings } = detect(someFacts(facts), grownMemory(), rule);
    expect(findings.filter(({ title }) => title.startsWith('The metric counts'))).toMatchObject([{ severity }]);
  });
});
