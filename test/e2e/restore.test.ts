import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { createDamage, type Damage } from '../../infra/local/scenarios/damage.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate, killAt } from './support.ts';

let estate: RunningEstate;
let look: Observer;
let damage: Damage;
let backup: string;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    purgeProtection: false,
    policy: { backup: { mode: 'off' }, geography: { regions: ['westeurope', 'northeurope'] } },
  }));
  const [hsm] = estate.hsms;
  if (!hsm) throw new Error('the estate has no HSM');
  damage = createDamage(look, hsm);
  for (const name of ['orders', 'invoices']) {
    const rotationPolicy = { expiryTime: 'P1Y' };
    await hsm.plant({ name, kty: 'EC-HSM', crv: 'P-256', keyOps: ['sign', 'verify'], rotationPolicy });
  }
  await look.api('POST', '/api/backups', { as: 'operator', body: { hsm: 'contoso', reason: 'before the tests' } });
  await look.settled();
  const { body } = await look.api('GET', '/api/backups', { as: 'viewer' });
  backup = (body as { backups: { id: string }[] }).backups[0]?.id ?? 'none';
});
afterAll(() => estate?.stop());

const REQUEST = { hsm: 'contoso', reason: 'rehearsal', confirm: 'contoso' };

/** Asks and approves; the answers of a host that is being killed are asked for again. */
async function restoreApproved(body: object): Promise<string> {
  const idempotencyKey = `rehearsal-${Object.values(body).join('-')}-${estate.estate.clock.now().getTime()}`;
  let id = '';
  await patiently(async () => {
    const reply = await look.api('POST', '/api/restores', { as: 'operator', body, idempotencyKey });
    id = (reply.body as { id?: string }).id ?? '';
    return reply.status === 202;
  });
  await patiently(async () => {
    const decision = { as: 'approver', body: { decision: 'approve' } } as const;
    return (await look.api('POST', `/api/restores/${id}/decision`, decision)).status === 202;
  });
  return id;
}

const patiently = (act: () => Promise<boolean>) => look.until(() => act().catch(() => false), 'an answer of the host');

async function shown(id: string) {
  const { body } = await look.api('GET', `/api/restores/${id}`, { as: 'viewer' });
  return body as { status: string; outcome: { findings?: { critical: number; warnings: number } } };
}

/** Kills the host the moment when the HSM takes the job: its answer is lost on the way. */
function killWhenAccepted(operation: string) {
  let killed: Promise<void> | undefined;
  const stop = estate.onHappening((happening) => {
    if (happening.kind !== 'audit' || killed) return;
    if (happening.row.operationName !== operation || happening.row.httpStatusCode !== 202) return;
    killed = look.killHost();
  });
  return async () => {
    stop();
    await killed;
    return killed !== undefined;
  };
}

/** The activities of its own of restoreHsm, and at which end of each the host dies. */
const KILLED = {
  start: ['judgeRestore', 'lockHsm', 'readRestore', 'endRestore'],
  end: ['describeRestore', 'stageBackup', 'compareRestore'],
};

test('restoreHsm, killed at every step and when the HSM takes it, starts one job, brings everything back and leaves no lock', async () => {
  await damage.rotate('orders');
  await damage.create('planted');
  const kills = [killAt(estate, KILLED.start, 'start'), killAt(estate, KILLED.end, 'end')];
  const killed = killWhenAccepted('RestoreCreate');
  const id = await restoreApproved({ ...REQUEST, backup });
  await look.settled();
  for (const each of kills) await each.done();
  expect(await killed()).toBe(true);
  await look.settled();
  expect(kills.flatMap(({ steps }) => steps).sort()).toEqual(Object.values(KILLED).flat().sort());
  expect(look.calls('contoso', 'RestoreCreate', 202)).toBe(1);
  expect(await shown(id)).toMatchObject({ status: 'restored', outcome: { findings: { critical: 0, warnings: 0 } } });
  expect([...look.versions().keys()].sort()).toEqual(['contoso/invoices', 'contoso/orders']);
});

test('restoreKey, killed when the HSM takes it, brings the key back by one job', async () => {
  await damage.remove('orders');
  await damage.purge('orders');
  const killed = killWhenAccepted('KeySelectiveRestore');
  const id = await restoreApproved({ ...REQUEST, backup, key: 'orders' });
  await look.settled();
  expect(await killed()).toBe(true);
  await look.settled();
  expect(look.calls('contoso', 'KeySelectiveRestore', 202)).toBe(1);
  expect(await shown(id)).toMatchObject({ status: 'restored', outcome: { findings: { critical: 0 } } });
});

test('a decision that somebody wrote into the store restores nothing, and its refusal is told', async () => {
  const body = { ...REQUEST, backup, accepts: ['unverifiedBackup'] };
  const before = look.calls('contoso', 'RestoreCreate', 202);
  const mails = look.mail().length;
  const { body: asked } = await look.api('POST', '/api/restores', { as: 'operator', body });
  const { id } = asked as { id: string };
  const forged = { by: 'oid-of-an-approver', at: estate.estate.clock.now().toISOString(), decision: 'approved' };
  await estate.storage.putBlob('state', `restores/${id}/decision.json`, JSON.stringify(forged), 'application/json');
  // Nobody wakes the restore: it looks by itself when it reminds.
  await look.settled();
  expect(await shown(id)).toMatchObject({ status: 'refused', outcome: { reason: 'ApprovalNotJournaled' } });
  expect(look.calls('contoso', 'RestoreCreate', 202)).toBe(before);
  const told = look.mail().slice(mails);
  expect(told.filter(({ text }) => text.includes('ApprovalNotJournaled'))).toHaveLength(1);
});
