import { IDENTITIES } from '../identity/registrations.ts';
import type { Background } from './background-traffic.ts';
import { findingsOf, incidentsOf, isLoud, quiet, sweep } from './detection-views.ts';
import { CRYPTO_USER, createIntruder, grant, type Intruder, sign } from './intruder.ts';
import type { Observer } from './observer.ts';
import type { Story } from './story.ts';

export const HSM = 'contoso';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A stolen administrator lets a stranger in at one key: contained by policy, the key rotated, while the host is killed. */
export async function aStrangerGetsIn(story: Story, look: Observer): Promise<Intruder> {
  const key = 'payments-signing';
  const admin = createIntruder(look, HSM, IDENTITIES.administrator);
  const mallory = createIntruder(look, HSM);
  const before = look.versions();
  const published = look.events('IncidentOpened').length;
  const [mails, webhooks] = [look.mail().length, look.estate.webhooks.calls.length];
  const ofMallory = async () =>
    (await incidentsOf(look)).find(({ about }) => about.includes(mallory.identity.objectId));
  const openedAt = await story.step(
    'A stolen administrator grants a stranger a role at one key, and the stranger signs',
    async (say) => {
      const granted = await grant(admin, mallory.identity.objectId, `/keys/${key}`, CRYPTO_USER);
      story.claim(granted === 201, `granted, not ${granted}`);
      for (let time = 0; time < 25; time++)
        story.claim((await signs(look, mallory, key)) === 200, 'the stranger signs');
      say(`${mallory.identity.objectId} signed 25 times with ${key}, with script and KQL in its user agent.`);
      return look.estate.estate.clock.now().getTime();
    },
  );
  await story.step(
    'One sweep later: an incident, evidence, containment, a new version; the host dies meanwhile',
    async (say) => {
      look.advance(5 * MINUTE_MS);
      await look.estate.runTimer('auditSweepTimer');
      for (let kill = 0; kill < 3; kill++) {
        await look.pause(700);
        look.advance(2_000);
        await look.killHost();
      }
      // What policy allows is done while the incident goes on, which waits for people with the rest.
      await look.eventually(() => {
        const rotated = look.grown(before).some((each) => each.key === `${HSM}/${key}`);
        return !mayStill(look, mallory) && rotated && look.events('IncidentOpened').length > published;
      }, 'the stranger to be shut out and the key to be rotated');
      // Who gave the role and who got it are two incidents: what the one took away is said in the other.
      await look.eventually(async () => (await ofMallory())?.contained === 'full', 'the incident to say so');
      await quiet(look);
      const incident = await ofMallory();
      story.claim(incident !== undefined, 'an incident was opened');
      story.claim(look.events('IncidentOpened').length > published, 'and published');
      say(
        `${incident?.severity}: ${incident?.about}; found ${minutes(Date.parse(incident?.openedAt ?? '') - openedAt)} after the last signature.`,
      );
      const refused = await signs(look, mallory, key);
      story.claim(refused === 403, `the stranger now gets 403, not ${refused}`);
      const [rotated] = look.grown(before).filter((each) => each.key === `${HSM}/${key}`);
      story.claim(rotated?.by === 1, `one new version of ${key}, not ${rotated?.by ?? 0}`);
      say('the stranger’s role at the key was taken away by policy, once; the key has one new, proven version.');
      const told = look
        .mail()
        .slice(mails)
        .filter(({ text }) => text.includes(incident?.id ?? 'none'));
      story.claim(told.length > 0, 'owners were told of it');
      for (const { to, subject } of told) say(`mail to ${to.join(', ')}: ${subject}`);
      const called = look.estate.webhooks.calls.slice(webhooks);
      story.claim(
        called.some(({ body }) => String(body).includes(incident?.id ?? 'none')),
        'and the signed webhook',
      );
    },
  );
  story.proven(
    'An intruder was found within one sweep of the rows, lost the role at the key, and the key was rotated; killed hosts changed nothing.',
  );
  return mallory;
}

/** The key of a known service, used by its own stolen identity, but not when it is ever used. */
export async function aStolenServiceIdentity(story: Story, look: Observer, { site, use }: Background): Promise<void> {
  await story.step('At three in the morning the stolen identity of a service signs six hundred times', async (say) => {
    const at = nextNight(look.estate.estate.clock.now());
    look.advance(at.getTime() - look.estate.estate.clock.now().getTime());
    await sweep(look);
    use(site.signing, 'sign', site.signing.key, at, { count: 600, span: 50 * MINUTE_MS });
    for (let step = 0; step < 8; step++) {
      look.advance(20 * MINUTE_MS);
      await sweep(look);
    }
    const found = (await findingsOf(look, HSM)).filter(({ detector }) => detector === 'volume-out-of-season');
    story.claim(found.length === 1, `one finding of the volume, not ${found.length}`);
    say(`${found[0]?.severity}: ${found[0]?.title}`);
  });
  story.proven('Misuse by a known identity was told from its season, in one finding.');
}

/** A little more than always, hour after hour. */
export async function aSlowDrip(story: Story, look: Observer, { site, use }: Background): Promise<void> {
  const victim = site.storage[1];
  if (!victim) throw new Error('the site has no second storage account');
  await story.step('A storage account’s stolen identity unwraps six more an hour, for two days', async (say) => {
    const began = look.estate.estate.clock.now();
    use(victim, 'unwrapkey', victim.key, began, { count: 6 * 48, span: 48 * HOUR_MS - MINUTE_MS });
    const isIt = ({ detector, keys = [] }: { detector: string; keys?: string[] }) =>
      detector === 'volume-out-of-season' && keys.includes(victim.key);
    let foundAfter: number | undefined;
    for (let hours = 6; hours <= 54; hours += 6) {
      look.advance(6 * HOUR_MS);
      await sweep(look);
      if (foundAfter === undefined && (await findingsOf(look, HSM)).some(isIt)) foundAfter = hours;
    }
    const found = (await findingsOf(look, HSM)).filter(isIt);
    story.claim(found.length > 0 && foundAfter !== undefined, 'the drip is found');
    say(
      `${found.at(-1)?.severity}: ${found.at(-1)?.title}; within ${foundAfter} hours, ${found.length} findings in all.`,
    );
  });
  story.proven('A slow drip of a service that unwraps all day was found while it went on.');
}

/** Somebody who may: a role at the whole HSM for an accomplice, and a key carried away. */
export async function anInsider(story: Story, look: Observer): Promise<void> {
  const key = 'payments-signing';
  await story.step('An administrator gives an accomplice a role at the HSM, and backs a key up', async (say) => {
    const insider = createIntruder(look, HSM, IDENTITIES.administrator);
    const accomplice = createIntruder(look, HSM);
    const known = new Set((await findingsOf(look, HSM)).map(({ id }) => id));
    const granted = await grant(insider, accomplice.identity.objectId, '/', CRYPTO_USER);
    story.claim(granted === 201, `granted, not ${granted}`);
    const carried = await insider.call('POST', `/keys/${key}/backup`);
    say(`the grant was answered with ${granted}, the backup of ${key} with ${carried}.`);
    const before = assignments(look);
    look.advance(5 * MINUTE_MS);
    await sweep(look);
    const found = (await findingsOf(look, HSM)).filter((one) => !known.has(one.id) && isLoud(one));
    for (const one of found) say(`${one.severity}: ${one.title}`);
    for (const detector of ['role-assignment-change', 'key-material-movement'])
      story.claim(
        found.some((one) => one.detector === detector),
        `${detector} is told, not only ${JSON.stringify(found.map((one) => one.detector))}`,
      );
    story.claim(assignments(look) === before, 'at the scope of the HSM nothing was taken away');
  });
  story.proven('An insider’s grant and key backup were told within one sweep.');
}

export async function theRootOfTrustIsTouched(story: Story, look: Observer): Promise<void> {
  await story.step(
    'Somebody asks for the security domain: critical, and nothing at the HSM is done without people',
    async (say) => {
      const before = assignments(look);
      const admin = createIntruder(look, HSM, IDENTITIES.administrator);
      const status = await admin.call('POST', '/securitydomain/download', { certificates: [], required: 2 });
      say(`the HSM answered ${status}; refused or not, the intent is told.`);
      look.advance(5 * MINUTE_MS);
      await sweep(look);
      const found = (await findingsOf(look, HSM)).filter(({ detector }) => detector === 'security-domain-access');
      story.claim(found.length === 1, `one finding, not ${found.length}`);
      say(`${found[0]?.severity}: ${found[0]?.title}`);
      story.claim(assignments(look) === before, 'no role at the HSM was taken away');
      const waiting = (await incidentsOf(look)).flatMap(({ id, waitsFor }) => waitsFor.map((step) => ({ id, step })));
      say(
        waiting.length === 0
          ? 'nothing may be taken away here: guards forbid it'
          : `${waiting.length} steps wait for approval.`,
      );
      const [first] = waiting;
      if (first) {
        const body = { kind: 'deny', step: first.step, note: 'rehearsal' };
        const denied = await look.api('POST', `/api/incidents/${first.id}/decisions`, { as: 'approver', body });
        story.claim(denied.status === 202, `taken, not ${JSON.stringify(denied.body)}`);
        await quiet(look);
        story.claim(assignments(look) === before, 'and a no is a no');
      }
    },
  );
  story.proven('At the scope of the HSM nothing was taken away without a person.');
}

export async function aFloodStaysSmall(story: Story, look: Observer): Promise<void> {
  await story.step(
    'An intruder floods the log with two thousand strange callers, broken fields and markup',
    async (say) => {
      const mails = look.mail().length;
      const target = look.estate.hsms.find(({ name }) => name === HSM);
      for (let index = 0; index < 2_000; index++) {
        look.estate.logs.inject('AZKVAuditLogs', {
          OperationName: index % 3 === 0 ? `KeyGet'; drop table ${index}` : 'KeyGet',
          ResultType: 'Failure',
          HttpStatusCode: 403,
          CorrelationId: `flood-${index}`,
          _ResourceId: target?.resourceId.toLowerCase(),
          RequestUri: `${target?.uri}/keys/k${index}/?x=<b>`,
          CallerIpAddress: `198.51.100.${index % 250}`,
          ClientInfo: '<script>alert(1)</script>'.repeat(20),
          Identity: index % 2 === 0 ? '{"claim": {"oid": ' : { claim: { oid: `flood-${index}`, appid: '"}' } },
        });
      }
      look.advance(5 * MINUTE_MS);
      await sweep(look);
      const more = look.mail().length - mails;
      story.claim(more <= 10, `a handful of mails, not ${more}`);
      const pages = look
        .mail()
        .slice(mails)
        .filter(({ html }) => html?.includes('<script>alert'));
      story.claim(pages.length === 0, 'no markup of a row reached a mail');
      say(`${more} mails; ${(await findingsOf(look, HSM)).length} findings in all.`);
    },
  );
  story.proven('A flood of rows became a handful of findings, and no field of a row became a query or a page.');
}

const keysOf = (look: Observer) => look.estate.hsms.find(({ name }) => name === HSM)?.keys();
const mayStill = (look: Observer, { identity }: Intruder): boolean =>
  keysOf(look)?.roleAssignments.some(({ properties }) => properties.principalId === identity.objectId) ?? false;
const assignments = (look: Observer): number => keysOf(look)?.roleAssignments.length ?? 0;
const versionOf = (look: Observer, name: string): string =>
  keysOf(look)
    ?.keys.find((key) => key.name === name)
    ?.versions.at(-1)?.version ?? '';
const signs = (look: Observer, by: Intruder, key: string) => sign(by, `${key}/${versionOf(look, key)}`);

const minutes = (ms: number): string => `${Math.max(0, ms / MINUTE_MS).toFixed(1)} min`;

function nextNight(now: Date): Date {
  const night = new Date(now);
  night.setUTCHours(3, 0, 0, 0);
  while (night <= now || [0, 6].includes(night.getUTCDay())) night.setUTCDate(night.getUTCDate() + 1);
  return night;
}
