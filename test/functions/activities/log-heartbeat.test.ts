import { expect, test } from 'vitest';
import { beat, heartbeatActivities, heartbeatPath } from '../../../functions/activities/heartbeats.ts';
import { beatOfLog } from '../../../functions/activities/log-heartbeat.ts';
import type { Arrivals } from '../../../shared/detection/audit-call.ts';
import type { Finding } from '../../../shared/detection/finding.ts';
import { ask } from '../../support/operator.ts';
import { createFakeWorld } from '../../support/world.ts';

const MINUTE = 60_000;
const START = Date.parse('2030-01-01T00:00:00.000Z');
const iso = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();

/** Rows up to that minute, which arrived five minutes later. */
const rowsUpTo = (minutes: number): Arrivals => ({
  hsm: 'contoso',
  quarter: iso(minutes - (minutes % 15)),
  rows: 3,
  lastEvent: iso(minutes),
  lastArrival: iso(minutes + 5),
  canary: 1,
  lag: { p50: 300, p99: 300 },
});

const aGap = (from: number, change: Partial<Finding> = {}): Finding => ({
  ...{ version: 1, id: 'f'.repeat(32), detector: 'logging-gap', detectorVersion: 1, hsm: 'contoso' },
  ...{ keys: [], keysInAll: 0, classes: [], from: iso(from), until: iso(from + 50), foundAt: iso(from + 50) },
  ...{ title: 'No audit row', explanation: '', nextStep: '', score: 45, severity: 'Medium', class: 'controls' },
  ...{ response: 'containByPolicy', techniques: [], assignments: [], facts: { minutes: 50, limit: 50 } },
  ...{ correlationIds: [], intents: [] },
  ...change,
});

/** A watch over an installation with detection, and a sweep every five minutes that sees what `see` says. */
function anInstallation() {
  const world = createFakeWorld();
  const schedule = '0 */5 * * * *';
  world.heartbeats.schedules = { audit: schedule, logs: schedule };
  const { lookAtHeartbeats, rememberHeartbeats } = heartbeatActivities(world);
  return {
    world,
    async run(from: number, to: number, see?: (minutes: number) => { rows?: Arrivals[]; findings?: Finding[] }) {
      const told: string[] = [];
      for (let minutes = from; minutes < to; minutes += 5) {
        world.now.value = new Date(START + minutes * MINUTE);
        const seen = see?.(minutes);
        if (seen) {
          await beatOfLog(world, 'contoso', seen.rows ?? [], seen.findings ?? []);
          await beat(world, 'audit', 'contoso');
        }
        if (minutes % 10 !== 0) continue;
        const { alarms, memory } = await lookAtHeartbeats();
        await rememberHeartbeats({ memory });
        told.push(...alarms.map(({ due }) => `${due.notice.kind} ${'name' in due.notice ? due.notice.name : ''}`));
      }
      return told;
    },
  };
}

const heartbeatOf = async ({ documents }: ReturnType<typeof anInstallation>['world']) =>
  (await documents.read('state', heartbeatPath('logs', 'contoso')))?.value;

const SILENT = 'HeartbeatMissed logs-contoso';
const HEARD = 'HeartbeatRecovered logs-contoso';

test('a log whose rows arrive is not silent, however late they are', async () => {
  const { run } = anInstallation();
  expect(await run(60, 600, (minutes) => ({ rows: [rowsUpTo(minutes - 45)] }))).toEqual([]);
});

test('a log from which no row ever came is told under one id, and that rows come is told once', async () => {
  const { run, world } = anInstallation();
  const told = await run(0, 300, () => ({}));
  expect(new Set(told)).toEqual(new Set([SILENT]));
  const missed = await heartbeatActivities(world).lookAtHeartbeats();
  expect(missed.alarms.map(({ due }) => due)).toMatchObject([
    { id: `heartbeat-missed-logs-contoso-${iso(0)}`, repeatAfter: 'P1D' },
  ]);
  expect(await run(300, 400, (minutes) => ({ rows: [rowsUpTo(minutes - 5)] }))).toEqual([HEARD]);
});

test('a log that was heard and is cut off for longer than a look back reaches is still judged, and its silence told', async () => {
  const { run, world } = anInstallation();
  await run(60, 120, (minutes) => ({ rows: [rowsUpTo(minutes - 5)] }));
  const told = await run(120, 900, () => ({ rows: [] }));
  expect(new Set(told)).toEqual(new Set([SILENT]));
  expect(await heartbeatOf(world)).toMatchObject({ at: iso(115) });
  const gap = aGap(115);
  await run(900, 910, () => ({ rows: [], findings: [gap] }));
  expect(await heartbeatOf(world)).toMatchObject({ at: iso(115), finding: gap.id });
});

test('a silence that the detector told of is not told by the watch; health shows it, and its end is told', async () => {
  const { run, world } = anInstallation();
  await run(0, 60, (minutes) => ({ rows: [rowsUpTo(minutes - 5)] }));
  const silent = (minutes: number) => ({ rows: [rowsUpTo(50)], findings: minutes === 105 ? [aGap(50)] : [] });
  expect(await run(60, 600, silent)).toEqual([]);
  expect(await ask(world, 'showHealth')).toMatchObject({ status: 503 });
  expect(await run(600, 700, (minutes) => ({ rows: [rowsUpTo(minutes - 5)] }))).toEqual([HEARD]);
});

test.each([
  ['a repeat that opens no incident', aGap(50, { suppressed: { by: 'x', until: iso(900) } })],
  ['what the journal explains', aGap(50, { severity: 'Informational' })],
  ['a changed diagnostic setting', aGap(50, { facts: { operation: 'write' } })],
])('%s is no telling of the silence: the watch tells it', async (_, finding) => {
  const { run } = anInstallation();
  await run(0, 60, (minutes) => ({ rows: [rowsUpTo(minutes - 5)] }));
  expect(await run(60, 400, () => ({ rows: [rowsUpTo(50)], findings: [finding] }))).toContain(SILENT);
});

test('where our own rows alone stay away the log is heard', async () => {
  const { run, world } = anInstallation();
  await run(0, 600, (minutes) => ({ rows: [rowsUpTo(minutes - 5)], findings: minutes > 60 ? [aGap(0)] : [] }));
  expect(await ask(world, 'showHealth')).toMatchObject({
    body: { heartbeats: expect.not.arrayContaining([expect.objectContaining({ overdue: true })]) },
  });
});

test('where the sweep fails, that is told, and nothing of the log, which nobody has seen', async () => {
  const { run } = anInstallation();
  await run(0, 60, (minutes) => ({ rows: [rowsUpTo(minutes - 5)] }));
  expect(new Set(await run(60, 600))).toEqual(new Set(['HeartbeatMissed audit-contoso']));
});
