import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from './support.ts';

const MINUTE = 60_000;
/** Short of what the watch may be late itself: after a gap of its own it measures every silence anew. */
const STEP = 40 * MINUTE;

let estate: RunningEstate;
let look: Observer;

/** How health answers, and what is late by it. */
async function health() {
  const { status, body } = await look.api('GET', '/api/health', { as: 'viewer' });
  const { heartbeats } = body as { heartbeats: { name: string; overdue: boolean }[] };
  return { status, late: heartbeats.filter(({ overdue }) => overdue).map(({ name }) => name) };
}

/**
 * So much later the log is judged, and then the watch looks. The clock starts both as well, and what is under way from before
 * has seen an older world.
 */
async function later(ms: number) {
  await look.settled();
  look.advance(ms);
  for (const timer of ['auditSweepTimer', 'heartbeatWatchTimer']) await look.run(timer);
}

/** Step by step until health shows just these late, and the watch has looked since: health knows before the watch does. */
async function untilLate(...late: string[]) {
  for (let step = 0; (await health()).late.join() !== late.join(); step++) {
    if (step === 12) throw new Error(`in vain: ${(await health()).late}`);
    await later(STEP);
  }
  await later(10 * MINUTE);
}

/** As somebody does in the portal: the setting is changed, and the app starts anew. */
async function setSweep(disabled: boolean) {
  estate.ready.settings['AzureWebJobs.expirySweepTimer.Disabled'] = String(disabled);
  await estate.host?.restart();
}

const missed = () => look.events('HeartbeatMissed').map(({ body }) => (body.data as { reference: string }).reference);
const subjects = (part: string) => look.mail().flatMap(({ subject }) => (subject.includes(part) ? [subject] : []));

beforeAll(async () => {
  ({ estate, look } = await bootEstate({ detection: true, timers: 'byClock', policy: { backup: { mode: 'off' } } }));
  await estate.runTimer('expirySweepTimer');
  // The second cycle sees the rows that the first one made.
  for (let cycle = 0; cycle < 2; cycle++) await later(6 * MINUTE);
});
afterAll(() => estate?.stop());

describe('silence on the embedded estate', () => {
  test('is none while everything runs by the clock', async () => {
    expect(await health()).toEqual({ status: 200, late: [] });
  });

  test('of a timer that somebody has disabled is told once, by mail and event, and health answers 503', async () => {
    estate.logs.ingestion({ outage: 'lose' });
    await setSweep(true);
    await untilLate('sweep-contoso');
    expect((await health()).status).toBe(503);
    expect(missed()).toEqual(['sweep-contoso']);
    expect(subjects('the expiry sweep is silent')).toHaveLength(1);
  });

  test('of the log, whose rows stay away, is told as well', async () => {
    await untilLate('logs-contoso', 'sweep-contoso');
    // The workspace knows this log too little for a finding, so it is the watch that tells.
    expect(missed()).toEqual(['sweep-contoso', 'logs-contoso']);
    expect(subjects('the audit log is silent')).toHaveLength(1);
  });

  test('ends when the timer and the rows are back: both are told, and health answers 200', async () => {
    estate.logs.ingestion({ outage: 'none' });
    await setSweep(false);
    await untilLate();
    expect((await health()).status).toBe(200);
    expect(subjects('is heard again')).toHaveLength(2);
  });
});
