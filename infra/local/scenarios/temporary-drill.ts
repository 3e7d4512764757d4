import { type Holders, playHolders, report, temporaryPolicy } from './holders.ts';
import type { Observer } from './observer.ts';
import type { Story } from './story.ts';

/**
 * The same drill without a standing HSM: it makes one, its people open the security domain for it, and it removes it again.
 * The host dies while it is made, while it is restored to and while it is removed; and then nobody comes.
 */
export async function temporaryDrill(story: Story, look: Observer, holders: Holders): Promise<void> {
  await itsCostIsTold(story, look);
  const drill = await anotherPersonApproves(story, look);
  await theHoldersCome(story, look, holders, drill);
  await itIsRemoved(story, look, drill);
  await nobodyComes(story, look, holders);
}

async function itsCostIsTold(story: Story, look: Observer): Promise<void> {
  await story.step(
    'The policy names a temporary HSM; what it would cost is told before anything is made',
    async (say) => {
      const body = { hsm: 'contoso', reason: 'without a standing HSM' };
      const plan = async () => {
        const planned = await look.api('POST', '/api/drills?dryRun=true', { as: 'operator', body });
        return (planned.body as { cost: { kind: string; reason?: string; estimate: { text: string } } }).cost;
      };
      await look.writePolicy(temporaryPolicy({ budget: 100 }));
      const refused = await plan();
      story.claim(refused.reason === 'OverBudget', `the budget holds, not ${JSON.stringify(refused)}`);
      await look.writePolicy(temporaryPolicy());
      const { kind, estimate } = await plan();
      story.claim(kind === 'allowed', 'within the budget it may');
      say(estimate.text);
    },
  );
}

async function anotherPersonApproves(story: Story, look: Observer): Promise<string> {
  return story.step('Making it waits for another person; the host is killed while it is made', async (say) => {
    const drill = await ask(look);
    const seen = await reaches(look, drill, 'approveCost');
    const own = await look.api('POST', `/api/recoveries/rehearse-${drill}/steps/approveCost`, {
      as: 'operator',
      body: { evidence: 'I say so' },
    });
    story.claim(own.status === 403, `who asked cannot approve, not ${own.status}`);
    story.claim(temporaries(look).length === 0, 'nothing is made before');
    say(`It waits for ${seen.waitingFor[0]?.who}, until ${seen.waitsUntil}.`);
    await report(look, seen.id, 'approveCost', { evidence: 'worth it' });
    const called = await reaches(look, drill, 'assemble');
    say(`Then for ${called.waitingFor[0]?.who}.`);
    await calledFor(look, 'Bring', 1);
    story.claim(temporaries(look).length === 0, 'nor before the holders are together');
    await report(look, seen.id, 'assemble', { evidence: 'Ada and Edsger are present' });
    await look.killHost();
    await reaches(look, drill, 'reWrap');
    const made = temporaries(look);
    story.claim(made.length === 1, `one HSM was made, not ${made.length}`);
    const [hsm] = made;
    story.claim(hsm?.definition.purgeProtection === false, 'without purge protection');
    story.claim(hsm?.definition.tags?.['mhsm-drill'] === drill, 'tagged with its drill');
    say(`${hsm?.name} in ${hsm?.definition.region}, retention ${hsm?.definition.retentionDays} days.`);
    return drill;
  });
}

async function theHoldersCome(story: Story, look: Observer, holders: Holders, drill: string): Promise<void> {
  await story.step(
    'A day later its holders hand the domain over; the host is killed while it is restored',
    async (say) => {
      await calledFor(look, 'Re-wrap', 1);
      look.advance(DAY_MS);
      await playHolders(look, holders, `rehearse-${drill}`, 'reWrap');
      await reaches(look, drill, 'upload');
      await playHolders(look, holders, `rehearse-${drill}`, 'upload');
      const [hsm] = temporaries(look);
      const name = hsm?.name ?? '';
      await look.eventually(() => look.calls(name, 'RestoreCreate', 202) > 0, 'the restore to begin');
      await look.killHost();
      await look.settled();
      const { status, report: written } = await show(look, drill);
      story.claim(status === 'passed', `passed, not ${JSON.stringify(written?.reasons ?? status)}`);
      const count = (operation: string) => look.calls(name, operation, 202);
      story.claim(count('RestoreCreate') === 1, `one restore, not ${count('RestoreCreate')}`);
      story.claim(count('BackupCreate') === 1, `one safety backup, not ${count('BackupCreate')}`);
      for (const line of written?.reasons ?? []) say(line);
      const { seconds = 0, peopleSeconds = 0 } = written?.rto ?? {};
      story.claim(peopleSeconds > DAY_MS / 1000, 'the day that people took is told apart');
      say(`recovery time ${hours(seconds)}; beside it, people took ${hours(peopleSeconds)}.`);
    },
  );
  story.proven('A drill recovers to a new HSM, quorum and all, and measures the machine apart from the people.');
}

async function itIsRemoved(story: Story, look: Observer, drill: string): Promise<void> {
  await story.step('What it made is gone, and its price until the service purges it is in the report', async (say) => {
    story.claim(temporaries(look).length === 0, 'nothing of it runs any more');
    const left = softDeleted(look, drill);
    story.claim(left.length === 1, `one soft-deleted HSM, not ${left.length}`);
    const { report: written } = await show(look, drill);
    story.claim(written?.tearDown?.state === 'removed', `removed, not ${JSON.stringify(written?.tearDown)}`);
    say(written?.tearDown?.text ?? '');
    say(`to end that, by hand: ${written?.tearDown?.command}`);
    const standing = look.estate.hsms.map(({ name }) => name).toSorted();
    story.claim(standing.join() === 'contoso,contoso-drill', `the others stand: ${standing.join(', ')}`);
  });
  story.proven('A temporary HSM is removed after its drill, and nothing is purged without a person.');
}

async function nobodyComes(story: Story, look: Observer, holders: Holders): Promise<void> {
  await story.step(
    'The next time nobody re-wraps: the drill gives up, and its HSM goes, killed host or not',
    async (say) => {
      const drill = await ask(look);
      for (const step of ['approveCost', 'assemble']) {
        await reaches(look, drill, step);
        await playHolders(look, holders, `rehearse-${drill}`, step);
      }
      await reaches(look, drill, 'reWrap');
      const [hsm] = temporaries(look);
      await calledFor(look, 'Re-wrap', 2);
      look.advance(6 * DAY_MS);
      await look.eventually(() => hsm !== undefined && look.estate.fleet.deleted.has(hsm.name), 'its deletion');
      await look.killHost();
      await look.settled();
      const { status, report: written } = await show(look, drill);
      story.claim(status === 'inconclusive', `undecided, not ${status}`);
      story.claim(temporaries(look).length === 0 && softDeleted(look, drill).length === 1, 'its HSM is removed');
      for (const line of written?.reasons.slice(0, 2) ?? []) say(line);
    },
  );
  await story.step('One that is called off leaves nothing either', async (say) => {
    const drill = await ask(look);
    await reaches(look, drill, 'approveCost');
    const body = { reason: 'the audit is postponed' };
    const { status } = await look.api('POST', `/api/drills/${drill}/cancellation`, { as: 'operator', body });
    story.claim(status === 202, `accepted, not ${status}`);
    await look.settled();
    const ended = await show(look, drill);
    story.claim(ended.status === 'inconclusive', `undecided, not ${ended.status}`);
    story.claim(ended.report?.tearDown?.state === 'nothingMade', 'nothing was made');
    say(ended.report?.reasons[0] ?? '');
  });
  story.proven('A drill that nobody attends, or that is called off, proves nothing and leaves nothing behind.');
}

const DAY_MS = 86_400_000;

interface Rehearsal {
  id: string;
  waitsUntil: string;
  waitingFor: { step: string; title: string; who: string }[];
}

interface Shown {
  status: string;
  rehearsal?: Rehearsal;
  report: {
    reasons: string[];
    rto: { seconds?: number; peopleSeconds?: number };
    tearDown?: { state: string; text: string; command?: string };
  } | null;
}

/** Those that a drill made and that run. */
const temporaries = (look: Observer) =>
  look.estate.fleet.hsms.filter(({ definition }) => definition.tags?.['mhsm-drill'] !== undefined);

const softDeleted = (look: Observer, drill: string) =>
  [...look.estate.fleet.deleted.values()].filter(({ hsm }) => hsm.definition.tags?.['mhsm-drill'] === drill);

async function ask(look: Observer): Promise<string> {
  const body = { hsm: 'contoso', reason: 'without a standing HSM' };
  const answer = await look.api('POST', '/api/drills', { as: 'operator', body });
  if (answer.status !== 202) throw new Error(`not accepted: ${JSON.stringify(answer.body)}`);
  return (answer.body as { id: string }).id;
}

async function show(look: Observer, drill: string): Promise<Shown> {
  const { status, body } = await look.api('GET', `/api/drills/${drill}`, { as: 'viewer' });
  if (status !== 200 && status !== 404) throw new Error(`GET the drill: ${status} ${JSON.stringify(body)}`);
  return status === 404 ? { status: 'notYet', report: null } : (body as Shown);
}

/** Until the drill waits for that step of its rehearsal. */
async function reaches(look: Observer, drill: string, step: string): Promise<Rehearsal> {
  let reached: Rehearsal | undefined;
  await look.eventually(async () => {
    const { rehearsal, report: written } = await show(look, drill);
    if (rehearsal?.waitingFor.some((each) => each.step === step)) reached = rehearsal;
    else if (written) throw new Error(`the drill ended: ${JSON.stringify(written.reasons)}`);
    return reached !== undefined;
  }, `the drill at ${step}`);
  if (!reached) throw new Error(`the drill does not come to ${step}`);
  return reached;
}

/** Until so many mails have called people to that step. */
async function calledFor(look: Observer, title: string, times: number): Promise<void> {
  const wanted = `restore drill waits for a person: ${title}`;
  const calls = () =>
    new Set(look.mail().flatMap(({ subject, text }) => (subject.includes(wanted) ? [text] : []))).size;
  await look.eventually(() => calls() >= times, `mail ${times} about ${title}`);
}

const hours = (seconds: number): string => `${(seconds / 3600).toFixed(1)} h`;
