import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from '../e2e/support.ts';
import { patiently, walkEveryStep } from './walk.ts';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    policy: { backup: { mode: 'off' }, response: { mode: 'rotate', watch: 'PT2H', watchMoved: 'PT2H' } },
  }));
});
afterAll(() => estate?.stop());

interface Shown {
  status: string;
  plan?: { id: string; kind: string; state: string; doneBy: string }[];
  removed?: unknown[];
  verdict?: unknown;
}

test('respondToCompromise, killed before and after every effect, takes away once, rotates once and reports once', async () => {
  let round = 0;
  let id = '';
  const plantRound = async () => {
    const [hsm] = estate.hsms;
    const name = `orders-${round}`;
    await hsm?.plant({
      name,
      kty: 'EC-HSM',
      crv: 'P-256',
      keyOps: ['sign', 'verify'],
      created: '-P30D',
      expires: 'P300D',
      tags: { notify: 'owner@contoso.example' },
      rotationPolicy: { expiryTime: 'P1Y' },
    });
    await hsm?.grant([{ identity: 'consumer', role: 'Managed HSM Crypto User', scope: `/keys/${name}` }]);
    return name;
  };
  const planted = new Map<number, Promise<string>>();
  const activities = await walkEveryStep({
    estate,
    look,
    instances: /^(incident|rotate)-/,
    async begin() {
      const key = await (planted.get(round) ?? planted.set(round, plantRound()).get(round));
      const body = { hsm: 'contoso', key, class: 'misuse', reason: `walk ${round}` };
      const caller = IDENTITIES.consumer.objectId;
      const reply = await look.api('POST', '/api/incidents', {
        as: 'operator',
        body: { ...body, caller },
        idempotencyKey: `walk-round-${round}`,
      });
      if (reply.status !== 202) throw new Error(`not accepted: ${JSON.stringify(reply.body)}`);
      id = (reply.body as { id: string }).id;
    },
    async accompany() {
      await patiently(look, async () => {
        const { body, status } = await look.api('GET', `/api/incidents/${id}`, { as: 'viewer' });
        if (status !== 200) throw new Error(`not shown: ${status}`);
        const { plan = [], verdict } = body as Shown;
        const decide = async (decision: Record<string, unknown>) => {
          const made = await look.api('POST', `/api/incidents/${id}/decisions`, {
            as: 'approver',
            body: { note: 'walk', ...decision },
          });
          if (made.status >= 500) throw new Error(`not decided: ${made.status}`);
        };
        for (const { id: step, state, kind } of plan) {
          if (state === 'waiting' || state === 'failed') {
            await decide({ kind: kind === 'person' ? 'done' : 'approve', step });
          }
        }
        if (plan.length > 0 && !verdict) await decide({ kind: 'verdict', verdict: 'insufficientEvidence' });
      });
    },
    async holds(rounds) {
      const { body } = await look.api('GET', `/api/incidents/${id}`, { as: 'viewer' });
      const shown = body as Shown;
      expect(shown.status).toBe('closed');
      expect(shown.plan?.map(({ state }) => state)).toEqual(expect.arrayContaining(['done']));
      // The same caller is the same incident, opened again within the week: each round takes away one.
      expect(shown.removed).toHaveLength(rounds);
      expect(look.versions().get(`contoso/orders-${round}`)).toBe(2);
      expect(look.events('IncidentClosed')).toHaveLength(rounds);
      expect(look.events('IncidentContained')).toHaveLength(rounds);
      round = rounds;
    },
  });
  for (const each of ['collectEvidence', 'planIncident', 'revokeAssignment', 'verifyContainment', 'closeIncident']) {
    expect(activities).toContain(each);
  }
});
