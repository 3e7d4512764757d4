import { startEstate } from '../estate-run.ts';
import { IDENTITIES } from '../identity/registrations.ts';
import { type Background, layTraffic } from './background-traffic.ts';
import { CRYPTO_USER, createIntruder, grant, type Intruder, sign } from './intruder.ts';
import { theJournalIsUnbroken } from './journal.ts';
import { createObserver, type Observer } from './observer.ts';
import type { Story } from './story.ts';

const HSM = 'contoso';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Even seeds make houses that are closed to the public network, as this one is. */
const SEED = 8;
const QUIET_DAYS = 2;

/**
 * Intrusions hidden in a bank's traffic, with four weeks of history: found within one sweep of their rows, contained at the scope of a key by
 * policy and at the scope of the HSM by people only, told, and closed with a report. Before them, days in which nothing is told.
 */
export async function attack(story: Story): Promise<void> {
  const estate = await story.step('The embedded estate boots', async (say) => {
    const running = await startEstate({ seed: 'demo', port: 0, webhook: true, detection: true });
    say('Two HSMs, their owners, a log workspace, and an app that is told nothing of what will happen.');
    return running;
  });
  const look = createObserver(estate);
  try {
    const background = await theLogHoldsWeeksOfTraffic(story, look);
    await quietDaysRaiseNothing(story, look);
    const mallory = await aStrangerGetsIn(story, look);
    await aNightOfSigning(story, look, background);
    await theRootOfTrustIsTouched(story, look);
    await aFloodStaysSmall(story, look);
    await theIncidentIsClosed(story, look, mallory);
    await theJournalIsUnbroken(story, look);
  } finally {
    await estate.stop();
  }
}

async function theLogHoldsWeeksOfTraffic(story: Story, look: Observer): Promise<Background> {
  return story.step('The log holds four weeks of traffic, and the app learns what is usual', async (say) => {
    await look.writePolicy(POLICY);
    const background = await layTraffic(look, HSM, SEED);
    say(`${background.rows} rows of services, an application, a nightly batch and people; seed ${SEED}.`);
    await sweep(look);
    story.claim((await incidents(look)).length === 0, 'what happened before is history, and is not told');
    return background;
  });
}

async function quietDaysRaiseNothing(story: Story, look: Observer): Promise<void> {
  await story.step('Busy days pass: services, people, our own rotations and backups', async (say) => {
    const before = look.versions();
    for (let day = 0; day < QUIET_DAYS; day++) {
      for (let slice = 0; slice < 4; slice++) {
        look.advance(6 * HOUR_MS);
        if (day === 0 && slice === 0) await look.estate.runTimer('expirySweepTimer');
        if (slice === 1) await look.estate.runTimer('backupWatchTimer');
        await sweep(look);
      }
    }
    const raised = (await findings(look)).filter(({ severity }) => LOUD.has(severity));
    story.claim(raised.length === 0, `nothing at Medium or above, not ${JSON.stringify(raised)}`);
    story.claim((await incidents(look)).length === 0, 'and no incident');
    say(
      `${look.grown(before).length} keys rotated and ${look.events('BackupCompleted').length} backups taken meanwhile, known for our own by the journal.`,
    );
  });
  story.proven('Days of rotations, backups and people at work raised nothing.');
}

async function aStrangerGetsIn(story: Story, look: Observer): Promise<Intruder> {
  const key = 'payments-signing';
  const admin = createIntruder(look, HSM, IDENTITIES.administrator);
  const mallory = createIntruder(look, HSM);
  const before = look.versions();
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
        await look.pause(1_500);
        look.advance(2_000);
        await look.killHost();
      }
      // Nothing else need be under way while the response works, so its own fact says how far it has come.
      await look.until(() => look.events('IncidentOpened').length > 0, 'the incident to be published');
      await quiet(look, 20_000);
      const [incident] = (await incidents(look)).filter(({ keys }) => keys.includes(key));
      story.claim(incident !== undefined, 'an incident was opened');
      const opened = look.events('IncidentOpened').length;
      story.claim(opened >= 1, 'and published');
      say(
        `${incident?.severity}: ${incident?.about}; found ${minutes(Date.parse(incident?.openedAt ?? '') - openedAt)} after the last signature.`,
      );
      const refused = await signs(look, mallory, key);
      story.claim(refused === 403, `the stranger now gets 403, not ${refused}`);
      const [rotated] = look.grown(before).filter((each) => each.key === `${HSM}/${key}`);
      story.claim(rotated?.by === 1, `one new version of ${key}, not ${rotated?.by ?? 0}`);
      say('the stranger’s role at the key was taken away by policy, once; the key has one new, proven version.');
      const told = look.mail().filter(({ subject, text }) => /incident/i.test(subject) && text.includes(key));
      story.claim(told.length > 0, 'owners were told');
      say(`mail to ${told[0]?.to.join(', ')}: ${told[0]?.subject}`);
      story.claim(look.estate.webhooks.calls.length > 0, 'and the signed webhook');
    },
  );
  story.proven(
    'An intruder was found within one sweep of the rows, lost the role at the key, and the key was rotated; killed hosts changed nothing.',
  );
  return mallory;
}

async function aNightOfSigning(story: Story, look: Observer, { site }: Background): Promise<void> {
  await story.step('At three in the morning a known application signs six hundred times', async (say) => {
    const at = nextNight(look.estate.estate.clock.now());
    look.advance(at.getTime() - look.estate.estate.clock.now().getTime());
    await sweep(look);
    const { caller, address, userAgent } = site.signing;
    const version = versionOf(look, site.signing.key);
    const target = look.estate.hsms.find(({ name }) => name === HSM);
    for (let index = 0; index < 600; index++) {
      const time = new Date(at.getTime() + index * 5_000);
      look.estate.logs.inject(
        'AZKVAuditLogs',
        {
          TimeGenerated: time.toISOString(),
          OperationName: 'KeySign',
          ResultType: 'Success',
          HttpStatusCode: 200,
          CorrelationId: `night-${index}`,
          _ResourceId: target?.resourceId.toLowerCase(),
          RequestUri: `${target?.uri}/keys/${site.signing.key}/${version}/sign?api-version=7.5`,
          CallerIpAddress: address,
          ClientInfo: userAgent,
          Identity: { claim: { oid: caller.oid, appid: caller.app } },
        },
        { ingestedAt: new Date(time.getTime() + 4 * MINUTE_MS) },
      );
    }
    for (let step = 0; step < 8; step++) {
      look.advance(20 * MINUTE_MS);
      await sweep(look);
    }
    const found = (await findings(look)).filter(({ detector }) => detector === 'volume-out-of-season');
    story.claim(found.length === 1, `one finding of the volume, not ${found.length}`);
    say(`${found[0]?.severity}: ${found[0]?.title}`);
  });
  story.proven('Misuse by a known identity was told from its season, in one finding.');
}

async function theRootOfTrustIsTouched(story: Story, look: Observer): Promise<void> {
  await story.step(
    'Somebody asks for the security domain: critical, and nothing at the HSM is done without people',
    async (say) => {
      const before = assignments(look);
      const admin = createIntruder(look, HSM, IDENTITIES.administrator);
      const status = await admin.call('POST', '/securitydomain/download', { certificates: [], required: 2 });
      say(`the HSM answered ${status}; refused or not, the intent is told.`);
      look.advance(5 * MINUTE_MS);
      await look.estate.runTimer('auditSweepTimer');
      await look.pause(2_000);
      await quiet(look, 10_000);
      const found = (await findings(look)).filter(({ detector }) => detector === 'security-domain-access');
      story.claim(found.length === 1, `one finding, not ${found.length}`);
      say(`${found[0]?.severity}: ${found[0]?.title}`);
      story.claim(assignments(look) === before, 'no role at the HSM was taken away');
      const waiting = (await incidents(look)).flatMap(({ id, waitsFor }) => waitsFor.map((step) => ({ id, step })));
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
        await look.pause(2_000);
        await quiet(look, 10_000);
        story.claim(assignments(look) === before, 'and a no is a no');
      }
    },
  );
  story.proven('At the scope of the HSM nothing was taken away without a person.');
}

async function aFloodStaysSmall(story: Story, look: Observer): Promise<void> {
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
      say(`${more} mails; ${(await findings(look)).length} findings in all.`);
    },
  );
  story.proven('A flood of rows became a handful of findings, and no field of a row became a query or a page.');
}

async function theIncidentIsClosed(story: Story, look: Observer, mallory: Intruder): Promise<void> {
  await story.step('A person says what it was; the report is kept', async (say) => {
    const all = await incidents(look);
    const incident = all.find(({ about }) => about.includes(mallory.identity.objectId));
    story.claim(incident !== undefined, `an incident is about the stranger, not ${JSON.stringify(all)}`);
    const verdict = { kind: 'verdict', verdict: 'confirmed', note: 'the administrator’s laptop was stolen' };
    const decisions = `/api/incidents/${incident?.id}/decisions`;
    const given = await look.api('POST', decisions, { as: 'approver', body: verdict });
    story.claim(given.status === 202, `taken, not ${JSON.stringify(given.body)}`);
    // The intruder is looked for until the watch ends; then the incident may be closed, and closes by its verdict.
    const path = `/api/incidents/${incident?.id}`;
    let shown: ClosedIncident = { status: 'open' };
    for (let turn = 0; turn < 40 && shown.status !== 'closed'; turn++) {
      look.advance(6 * HOUR_MS);
      await look.pause(500);
      shown = (await look.api('GET', path, { as: 'auditor' })).body as ClosedIncident;
    }
    story.claim(shown.status === 'closed', `closed, not ${shown.status}`);
    say(`report: evidence/${shown.closed?.report}`);
  });
  story.proven('The incident ended with a verdict of a person and a report.');
}

/** Runs the audit sweep and waits for what follows; durable timers are helped on. */
async function sweep(look: Observer): Promise<void> {
  await look.estate.runTimer('auditSweepTimer');
  await quiet(look);
}

/** Nothing but incidents under way, which wait for people. */
const quiet = (look: Observer, advanceMs = 2_000) =>
  look.settled({ advanceMs, patienceMs: 180_000, except: /^incident-/ });

interface ClosedIncident {
  status: string;
  closed?: { report: string };
}

const LOUD = new Set(['Medium', 'High', 'Critical']);

interface ShownFinding {
  id: string;
  detector: string;
  severity: string;
  title: string;
  keys?: string[];
}

interface ShownIncident {
  id: string;
  severity: string;
  about: string;
  openedAt: string;
  keys: string[];
  contained: string | null;
  waitsFor: string[];
}

const findings = async (look: Observer): Promise<ShownFinding[]> =>
  ((await look.api('GET', `/api/findings?hsm=${HSM}`, { as: 'auditor' })).body as { findings: ShownFinding[] })
    .findings;

const incidents = async (look: Observer): Promise<ShownIncident[]> =>
  ((await look.api('GET', '/api/incidents', { as: 'auditor' })).body as { incidents: ShownIncident[] }).incidents;

const keysOf = (look: Observer) => look.estate.hsms.find(({ name }) => name === HSM)?.keys();
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

/** The bank's rules: contain and rotate by policy at the scope of a key, ask people for the rest. */
const POLICY = JSON.stringify({
  version: 1,
  defaults: { rotation: { mode: 'rotate', before: 'P30D', validity: 'P1Y', backstop: 'P7D', proof: 'whenPossible' } },
  owners: { fallback: ['key-custodians@contoso.example'] },
  backup: { schedule: { every: 'P1D', at: '02:00' }, rpo: 'P2D' },
  drills: { mode: 'off' },
  geography: { regions: ['westeurope', 'northeurope'] },
  response: { mode: 'rotate', from: 'Medium', keyScope: 'policy', hsmScope: 'approval' },
});
