import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from '../e2e/support.ts';
import { patiently, walkEveryStep } from './walk.ts';

let estate: RunningEstate;
let look: Observer;
let backup: string;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    purgeProtection: false,
    policy: { backup: { mode: 'off' }, geography: { regions: ['westeurope', 'northeurope'] } },
  }));
  await look.plantDue('kept', 2);
  await look.api('POST', '/api/backups', { as: 'operator', body: { hsm: 'contoso', reason: 'before the walk' } });
  await look.settled();
  const { body } = await look.api('GET', '/api/backups', { as: 'viewer' });
  backup = (body as { backups: { id: string }[] }).backups[0]?.id ?? 'none';
});
afterAll(() => estate?.stop());

test('restoreHsm, killed before and after every effect, starts one job, compares equal and leaves no lock', async () => {
  let round = 0;
  let id = '';
  const activities = await walkEveryStep({
    estate,
    look,
    instances: /^(restore|notify-restore)-/,
    async begin() {
      const body = { hsm: 'contoso', backup, reason: 'walk', confirm: 'contoso' };
      const reply = await look.api('POST', '/api/restores', {
        as: 'operator',
        body,
        idempotencyKey: `walk-round-${round}`,
      });
      if (reply.status !== 202) throw new Error(`not accepted: ${JSON.stringify(reply.body)}`);
      id = (reply.body as { id: string }).id;
    },
    async accompany() {
      await patiently(look, async () => {
        const { status } = await look.api('POST', `/api/restores/${id}/decision`, {
          as: 'approver',
          body: { decision: 'approve' },
        });
        if (status >= 500) throw new Error(`not decided: ${status}`);
      });
    },
    async holds(rounds) {
      round = rounds;
      expect(look.calls('contoso', 'RestoreCreate', 202)).toBe(rounds);
      const { body } = await look.api('GET', `/api/restores/${id}`, { as: 'viewer' });
      expect(body).toMatchObject({ status: 'restored', outcome: { findings: { critical: 0 } } });
    },
  });
  expect(activities).toContain('compareRestore');
});
