import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { prepareDrills } from '../../infra/local/scenarios/drill.ts';
import { type Holders, playHolders, temporaryPolicy } from '../../infra/local/scenarios/holders.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from '../e2e/support.ts';
import { walkEveryStep } from './walk.ts';

/** Each of them waits half an hour of the estate for the age of a backup. */
const THREE_DRILLS_MS = 480_000;

let estate: RunningEstate;
let look: Observer;
let holders: Holders;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({ seed: 'drill' }));
  holders = await prepareDrills(look);
  await look.writePolicy(temporaryPolicy());
});
afterAll(() => estate?.stop());

const isOurs = ({ definition }: RunningEstate['fleet']['hsms'][number]) =>
  definition.tags?.['mhsm-drill'] !== undefined;

/** Does what the newest drill waits for. */
async function attend(): Promise<void> {
  const { body } = await look.api('GET', '/api/drills', { as: 'viewer' });
  const open = (body as { drills: { id: string; status: string }[] }).drills.find(
    ({ status }) => status === 'underWay',
  );
  if (!open) return;
  const shown = await look.api('GET', `/api/drills/${open.id}`, { as: 'viewer' });
  const { rehearsal } = shown.body as { rehearsal?: { id: string; waitingFor: { step: string }[] } };
  for (const { step } of rehearsal?.waitingFor ?? []) await playHolders(look, holders, rehearsal?.id ?? '', step);
}

test(
  'a drill on a temporary HSM, killed before and after every effect, makes one HSM, restores once and removes it',
  async () => {
    let round = 0;
    const activities = await walkEveryStep({
      estate,
      look,
      instances: /^(drill|rehearse|tear-down)-/,
      async begin() {
        const body = { hsm: 'contoso', reason: 'walk' };
        const idempotencyKey = `walk-round-${round}`;
        const { status } = await look.api('POST', '/api/drills', { as: 'operator', body, idempotencyKey });
        if (status !== 202) throw new Error(`not accepted: ${status}`);
      },
      accompany: attend,
      holds(rounds) {
        round = rounds;
        const gone = [...estate.fleet.deleted.values()].map(({ hsm }) => hsm).filter(isOurs);
        expect(estate.fleet.hsms.filter(isOurs).map(({ name }) => name)).toEqual([]);
        expect(gone).toHaveLength(rounds);
        for (const { name } of gone) {
          expect(look.calls(name, 'RestoreCreate', 202), `restores of ${name}`).toBe(1);
          expect(look.calls(name, 'BackupCreate', 202), `safety backups of ${name}`).toBe(1);
        }
        expect(look.events('DrillPassed')).toHaveLength(rounds);
        expect(look.events('DrillFailed')).toHaveLength(0);
      },
    });
    expect(activities).toEqual(expect.arrayContaining(['nextRecoveryStep', 'performRecoveryStep', 'removeDrillHsm']));
  },
  THREE_DRILLS_MS,
);
