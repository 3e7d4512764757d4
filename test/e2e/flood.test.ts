import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from './support.ts';

const MINUTE = 60_000;
const ROWS = 50_000;
const MALLORY = '99999999-9999-4999-8999-999999999999';
/** However many rows there are: a few subjects, and a few stages of each. */
const MOST_MAILS = 12;
/** Beyond what the app held before the flood, in MB: an answer of the workspace holds 5,000 groups, whatever the rows. */
const MOST_MEMORY = 400;

/** What a caller can put into the fields of its rows. The last are long, and shared so that the test itself stays small. */
const HOSTILE = [
  `"><script>alert(1)</script><img src=x onerror='alert(2)'>`,
  `'; AZKVAuditLogs | take 1 //`,
  '") | union * | where true //',
  '{"claim": {"oid": ',
  '\u202e\u0000\r\nBcc: everybody@contoso.example\r\n',
  '`id`$(id)',
  '[click](javascript:alert(1))<svg/onload=alert(3)>',
  `<a href="https://evil.example">x</a>`,
  '\ud800\udfff{{7*7}}',
];
const HUGE = HOSTILE.map((text) => text + 'x'.repeat(30_000));
/** Nothing of it may stand as markup anywhere. */
const MARKUP = /<script|<img|<svg\/|<a href="https:\/\/evil|href="javascript:/i;

let estate: RunningEstate;
let look: Observer;

const hostPid = () => Number(estate.ready.hostPid);
/** Megabytes: the most that the host's process ever held. */
const peakMemory = () =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${hostPid()}/status`, 'utf8'))?.[1]) / 1024;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    detection: true,
    policy: { backup: { mode: 'off' }, response: { mode: 'notify', watch: 'PT1H', watchMoved: 'PT1H' } },
  }));
  await cycle();
});
afterAll(() => estate?.stop());

async function cycle(): Promise<void> {
  look.advance(6 * MINUTE);
  await look.run('auditSweepTimer', { except: /^incident-/ });
}

function flood(): void {
  const [hsm] = estate.hsms;
  const ingestedAt = new Date(estate.estate.clock.now().getTime() + MINUTE);
  for (let row = 0; row < ROWS; row++) {
    const evil = (row % 500 === 0 ? HUGE : HOSTILE)[row % HOSTILE.length] ?? '';
    const named = { claim: { oid: MALLORY, appid: evil, upn: row % 3 === 0 ? evil : 'mallory@contoso.example' } };
    const fields = {
      _ResourceId: hsm?.resourceId.toLowerCase(),
      OperationName: row % 5 === 0 ? evil : 'KeyUnwrap',
      ResultType: row % 2 === 0 ? 'Success' : evil,
      HttpStatusCode: row % 2 === 0 ? 200 : 403,
      CorrelationId: `${evil.slice(0, 40)}-${row}`,
      RequestUri: `${hsm?.uri}/keys/${row % 4 === 0 ? encodeURIComponent(evil.slice(0, 100).replaceAll(/\p{Cs}/gu, '')) : `k${row % 3}`}/v${row % 9_000}/unwrapkey?${evil}`,
      CallerIpAddress: row % 7 === 0 ? evil : `203.0.113.${row % 250}`,
      ClientInfo: `${evil}${row}`,
      Identity: row % 11 === 0 ? evil : named,
    };
    estate.logs.inject('AZKVAuditLogs', fields, { ingestedAt });
  }
  // What the flood is to hide.
  const download = {
    OperationName: 'SecurityDomainBackup',
    RequestUri: `${hsm?.uri}/securitydomain/download?api-version=7.5`,
  };
  const grave = {
    ...download,
    HttpStatusCode: 202,
    ResultType: 'Success',
    CorrelationId: 'c',
    CallerIpAddress: '203.0.113.9',
  };
  const who = { Identity: { claim: { oid: MALLORY, appid: 'evil' } }, ClientInfo: 'az/2' };
  estate.logs.inject('AZKVAuditLogs', { _ResourceId: hsm?.resourceId.toLowerCase(), ...grave, ...who }, { ingestedAt });
}

async function evidence(path: string): Promise<string> {
  const { token } = await estate.tokens.forIdentity(IDENTITIES.administrator, 'https://storage.azure.com');
  const reply = await estate.call({
    method: 'GET',
    url: `${estate.storage.blobUrl}/evidence/${path}`,
    headers: { authorization: `Bearer ${token}`, 'x-ms-version': '2025-11-05' },
  });
  expect(reply.status).toBe(200);
  return reply.body.toString('utf8');
}

interface ShownFinding {
  detector: string;
  severity: string;
  caller?: { oid: string };
}
const findings = async () =>
  ((await look.api('GET', '/api/findings', { as: 'auditor' })).body as { findings: ShownFinding[] }).findings;

interface Shown {
  id: string;
  status: string;
  severity: string;
  class: string;
  about: string;
  plan?: { id: string; kind: string; state: string }[];
  verdict?: unknown;
  closed?: { report: string };
}
const incidents = async () =>
  ((await look.api('GET', '/api/incidents', { as: 'viewer' })).body as { incidents: Shown[] }).incidents;
const shown = async (id: string) => (await look.api('GET', `/api/incidents/${id}`, { as: 'viewer' })).body as Shown;

async function close(id: string): Promise<Shown> {
  const decide = (body: Record<string, unknown>) =>
    look.api('POST', `/api/incidents/${id}/decisions`, { as: 'approver', body: { note: HOSTILE[0], ...body } });
  let incident = await shown(id);
  await look.eventually(async () => {
    incident = await shown(id);
    if (incident.status === 'closed' && incident.closed) return true;
    for (const { id: step, state, kind } of incident.plan ?? []) {
      if (state === 'waiting') await decide({ kind: kind === 'person' ? 'done' : 'deny', step });
    }
    if (incident.plan && !incident.verdict) await decide({ kind: 'verdict', verdict: 'confirmed' });
    return false;
  }, 'the incident to be closed');
  return incident;
}

test('fifty thousand hostile rows of one intruder are a few mails, hide nothing, and become no part of a page', async () => {
  const [pid, before, mails] = [hostPid(), peakMemory(), look.mail().length];
  flood();
  await cycle();

  const all = await findings();
  expect(all.length).toBeLessThanOrEqual(60);
  const grave = all.filter(({ detector }) => detector === 'security-domain-access');
  expect(grave).toMatchObject([{ severity: 'Critical', caller: { oid: MALLORY } }]);
  const opened = await incidents();
  expect(opened.length).toBeLessThanOrEqual(5);

  const found = opened.find((incident) => incident.class === 'rootOfTrust');
  const { closed } = await close(found?.id ?? '');
  const report = await evidence(`${closed?.report}.html`);
  expect(report).not.toMatch(MARKUP);
  expect(report).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(report.length).toBeLessThan(300_000);

  await look.still();
  const told = look.mail().slice(mails);
  expect(told.filter(({ subject }) => /closed/i.test(subject)).length).toBeGreaterThan(0);
  expect(told.length).toBeLessThanOrEqual(MOST_MAILS);
  for (const { to, subject, html, text } of told) {
    expect(to).toEqual(['keys@contoso.example']);
    expect(subject.length).toBeLessThan(250);
    expect(html ?? '').not.toMatch(MARKUP);
    expect(text.length + (html ?? '').length).toBeLessThan(200_000);
  }

  expect(hostPid()).toBe(pid);
  expect(peakMemory() - before).toBeLessThan(MOST_MEMORY);
});
