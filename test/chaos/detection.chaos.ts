import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate, killAt } from '../e2e/support.ts';
import { patiently, walkEveryStep } from './walk.ts';

const MINUTE_MS = 60_000;
const STORAGE_AUDIENCE = 'https://storage.azure.com';
/** The incidents of what is found wait for people. */
const INCIDENTS = /^incident-/;
const DETECTION = /^detect-contoso$/;

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    detection: true,
    policy: { backup: { mode: 'off' }, response: { mode: 'notify' } },
  }));
});
afterAll(() => estate?.stop());

interface ShownFinding {
  id: string;
  detector: string;
  severity: string;
  told?: string;
  facts: Record<string, unknown>;
}

const intruder = (round: number) => `99999999-9999-4999-8999-${String(round).padStart(12, '0')}`;

/** One row of a download of the security domain, each round by a caller of its own. */
function download(round: number): string {
  const at = estate.logs.inject('AZKVAuditLogs', {
    _ResourceId: estate.hsms[0]?.resourceId.toLowerCase(),
    OperationName: 'SecurityDomainBackup',
    HttpStatusCode: 202,
    ResultType: 'Success',
    RequestUri: 'https://contoso.managedhsm.azure.net/securitydomain/download?api-version=7.5',
    CallerIpAddress: '10.0.0.9',
    CorrelationId: `c-${round}`,
    Identity: { claim: { oid: intruder(round), appid: 'evil' } },
  }).ingestedAt;
  if (at === undefined) throw new Error('the row was held back');
  return at;
}

async function sweep(): Promise<void> {
  look.advance(6 * MINUTE_MS);
  await estate.runTimer('auditSweepTimer');
}

async function findings(detector: string): Promise<ShownFinding[]> {
  const { body } = await look.api('GET', '/api/findings', { as: 'auditor' });
  const of = (body as { findings: ShownFinding[] }).findings.filter((finding) => finding.detector === detector);
  const shown = await Promise.all(of.map(({ id }) => look.api('GET', `/api/findings/${id}`, { as: 'auditor' })));
  return shown.map((each) => each.body as ShownFinding);
}

/** Facts with one id are one fact, so what a crash made go out again counts once. */
const raised = (detector: string) =>
  look.events('FindingRaised').filter(({ body }) => JSON.stringify(body).includes(`"${detector}"`));

async function state<T>(name: string): Promise<T> {
  const { token } = await estate.tokens.forIdentity(IDENTITIES.administrator, STORAGE_AUDIENCE);
  const reply = await estate.call({
    method: 'GET',
    url: `${estate.storage.blobUrl}/state/detection/contoso/${name}`,
    headers: { authorization: `Bearer ${token}`, 'x-ms-version': '2025-11-05' },
  });
  if (reply.status !== 200) throw new Error(`${name}: ${reply.status}`);
  return JSON.parse(reply.body.toString('utf8')) as T;
}

/** Where detection stands; the memory that it stands on was written with it. */
async function watermark(): Promise<number> {
  const { judgement, watermark = '' } = await state<{ judgement: string; watermark?: string }>('state.json');
  expect(await state(`judgements/${judgement}.json`)).toMatchObject({ watermark });
  return Date.parse(watermark);
}

const settled = () => look.settled({ except: INCIDENTS });

test('learnBaseline, killed when it starts and when it has ended, learns once and lets the first window be judged', async () => {
  const kills = [killAt(estate, ['learnBaseline'], 'start'), killAt(estate, ['learnBaseline'], 'end')];
  await sweep();
  await settled();
  for (const kill of kills) await kill.done();
  await settled();
  expect(kills.map(({ steps }) => steps)).toEqual([['learnBaseline'], ['learnBaseline']]);
  expect(await watermark()).toBeGreaterThan(estate.estate.clock.now().getTime() - 15 * MINUTE_MS);
});

test('detectAnomalies, killed before and after every effect, loses no finding, raises none twice, and moves on by each row once', async () => {
  let round = 0;
  const rows = new Map<number, string>();
  const activities = await walkEveryStep({
    estate,
    look,
    instances: DETECTION,
    except: INCIDENTS,
    async begin() {
      if (!rows.has(round)) rows.set(round, download(round));
      await sweep();
    },
    async holds(rounds) {
      const found = await findings('security-domain-access');
      expect(found).toHaveLength(rounds);
      // Each row was counted once, whatever was judged again.
      expect(found.map(({ facts, told }) => ({ calls: facts.calls, told }))).toEqual(
        found.map(() => ({ calls: 1, told: 'Critical' })),
      );
      expect(raised('security-domain-access')).toHaveLength(rounds);
      expect(look.events('IncidentOpened')).toHaveLength(rounds);
      const upTo = await watermark();
      expect(upTo).toBeGreaterThanOrEqual(Date.parse(rows.get(round) ?? ''));
      expect(upTo).toBeLessThan(estate.estate.clock.now().getTime());
      round = rounds;
    },
  });
  const every = ['sendCanary', 'judgeWindow', 'raiseFindings', 'joinIncidents', 'commitWindow'];
  expect(activities.toSorted()).toEqual(every.toSorted());
});

test('detectAnomalies that may not read the log, killed before and after every effect, tells its blindness once and judges what it missed', async () => {
  const before = (await findings('security-domain-access')).length;
  let round = 0;
  const rows = new Set<number>();
  const activities = await walkEveryStep({
    estate,
    look,
    instances: DETECTION,
    except: INCIDENTS,
    async begin() {
      if (!rows.has(round)) download(100 + round);
      rows.add(round);
      const { id } = estate.estate.faults.add({ service: 'logs', operation: 'Query', status: 403, code: 'Forbidden' });
      try {
        for (let failure = 0; failure < 3; failure++) {
          await patiently(look, sweep);
          await settled();
        }
      } finally {
        estate.estate.faults.remove(id);
      }
      await sweep();
    },
    async holds(rounds) {
      expect(await findings('detector-blind')).toHaveLength(rounds);
      expect(raised('detector-blind')).toHaveLength(rounds);
      expect(await findings('security-domain-access')).toHaveLength(before + rounds);
      round = rounds;
    },
  });
  expect(activities).toContain('noteBlindness');
});
