import { startEstate } from '../estate-run.ts';
import { type Background, layTraffic } from './background-traffic.ts';
import { incidentsOf, quiet, sweep } from './detection-views.ts';
import type { Intruder } from './intruder.ts';
import {
  aFloodStaysSmall,
  anInsider,
  aSlowDrip,
  aStolenServiceIdentity,
  aStrangerGetsIn,
  HSM,
  theRootOfTrustIsTouched,
} from './intrusions.ts';
import { theJournalIsUnbroken } from './journal.ts';
import { createObserver, MORNING, type Observer } from './observer.ts';
import { createQuietDays } from './quiet-days.ts';
import type { Story } from './story.ts';

const DAY_MS = 24 * 3_600_000;
/** Even seeds make houses that are closed to the public network, as this one is. */
const SEED = 8;
const FORTNIGHT = 14;

/**
 * Intrusions hidden in a fortnight of a bank's traffic, after four weeks of history: found within one sweep of their rows, contained
 * at the scope of a key by policy and at the scope of the HSM by people only, told, and closed with a report. On the days between
 * them nothing is told.
 */
export async function attack(story: Story): Promise<void> {
  const estate = await story.step('The embedded estate boots', async (say) => {
    const running = await startEstate({
      seed: 'single',
      port: 0,
      startAt: MORNING,
      webhook: true,
      detection: true,
      settings: SETTINGS,
    });
    say('An HSM, its owners, a log workspace, and an app that is told nothing of what will happen.');
    return running;
  });
  const look = createObserver(estate);
  try {
    const background = await theLogHoldsWeeksOfTraffic(story, look);
    const days = createQuietDays(story, look, HSM);
    await days.until(3);
    await aStolenServiceIdentity(story, look, background);
    await days.until(6);
    const mallory = await aStrangerGetsIn(story, look);
    await days.until(8);
    await aSlowDrip(story, look, background);
    await days.until(11);
    await anInsider(story, look);
    await days.until(13);
    await theRootOfTrustIsTouched(story, look);
    await days.until(FORTNIGHT);
    story.proven(
      `A fortnight of busy traffic, rotations and backups, judged in ${days.sweeps()} sweeps, raised nothing by itself.`,
    );
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
    const { past, ahead } = background.rows;
    say(`${past} rows of services, an application, a nightly batch and people are history; seed ${SEED}.`);
    say(`${ahead} more arrive in the weeks to come, which are judged live: the clock moves six hours at a time,`);
    say('and around an intrusion as in production, five minutes.');
    await sweep(look);
    story.claim((await incidentsOf(look)).length === 0, 'what happened before is history, and is not told');
    return background;
  });
}

async function theIncidentIsClosed(story: Story, look: Observer, mallory: Intruder): Promise<void> {
  await story.step('A person says what it was; the report is kept', async (say) => {
    const all = await incidentsOf(look);
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
      look.advance(DAY_MS / 2);
      await quiet(look);
      shown = (await look.api('GET', path, { as: 'auditor' })).body as ClosedIncident;
    }
    story.claim(shown.status === 'closed', `closed, not ${shown.status}: ${JSON.stringify(shown.obstaclesToClosing)}`);
    say(`report: evidence/${shown.closed?.report}`);
  });
  story.proven('The incident ended with a verdict of a person and a report.');
}

interface ClosedIncident {
  status: string;
  obstaclesToClosing?: unknown;
  closed?: { report: string };
}

/** Rounds follow the stride of the clock. */
const SETTINGS = {
  MHSM_SWEEP_SCHEDULE: '0 15 */12 * * *',
  MHSM_HEARTBEAT_SCHEDULE: '0 3 */12 * * *',
};

/** The bank's rules: rotate ten days ahead, so that keys come due all through the fortnight; contain and rotate by policy at the scope of a key, ask people for the rest. */
const POLICY = JSON.stringify({
  version: 1,
  defaults: { rotation: { mode: 'rotate', before: 'P10D', validity: 'P1Y', backstop: 'P7D', proof: 'whenPossible' } },
  owners: { fallback: ['key-custodians@contoso.example'] },
  backup: { schedule: { every: 'P1D', at: '02:00' }, rpo: 'P2D' },
  drills: { mode: 'off' },
  geography: { regions: ['westeurope', 'northeurope'] },
  response: { mode: 'rotate', from: 'Medium', keyScope: 'policy', hsmScope: 'approval' },
});
