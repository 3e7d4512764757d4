import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEstate, startEstate } from '../../../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../../../infra/local/identity/registrations.ts';
import type { Identity } from '../../../../shared/adapters/azure/credentials.ts';
import { createHsmKeys } from '../../../../shared/adapters/azure/hsm-keys.ts';
import { createServiceMetrics } from '../../../../shared/adapters/azure/service-metrics.ts';
import { hasCode } from '../../../../shared/errors.ts';
import type { ServiceMetrics } from '../../../../shared/ports/service-metrics.ts';

const QUARTER = 900_000;

let estate: RunningEstate;
let metrics: ServiceMetrics;

const identity: Identity = {
  duty: 'observe',
  clientId: IDENTITIES.observe.clientId,
  credential: async () => ({
    async getToken(scopes) {
      const audience = [scopes].flat()[0]?.replace('/.default', '') ?? '';
      const { token, expiresOn } = await estate.tokens.forIdentity(IDENTITIES.observe, audience);
      return { token, expiresOnTimestamp: expiresOn * 1000 };
    },
  }),
};

beforeAll(async () => {
  estate = await startEstate({ seed: 'demo', host: false });
  metrics = createServiceMetrics({
    armUrl: estate.ready.management,
    audience: 'https://management.azure.com',
    identity,
  });
});
afterAll(() => estate.stop());

const hsm = () => {
  const [first] = estate.hsms;
  if (!first) throw new Error('the estate has no HSM');
  return first;
};
const span = () => {
  const now = estate.estate.clock.now().getTime();
  const from = new Date(Math.floor(now / QUARTER) * QUARTER - QUARTER).toISOString();
  return [from, new Date(now + 60_000).toISOString()] as const;
};
const counted = async () =>
  (await metrics.serviceHits(hsm().resourceId, ...span())).reduce((sum, each) => sum + each.hits, 0);
const call = async (times: number) => {
  const keys = createHsmKeys({ hsms: [{ name: hsm().name, uri: hsm().uri }], identity });
  for (let index = 0; index < times; index += 1)
    await keys.read({ hsm: hsm().name, name: 'none-such' }).catch(() => undefined);
};

describe('calls that the platform counted', () => {
  test('are there by full quarters, refusals among them, though no row of them ever arrives', async () => {
    const before = await counted();
    estate.logs.ingestion({ outage: 'lose' });
    await call(3);
    estate.logs.ingestion({ outage: 'none' });
    // A span that crosses the end of a quarter counts them once.
    expect((await counted()) - before).toBe(3);
    const quarters = await metrics.serviceHits(hsm().resourceId, ...span());
    expect(quarters.length).toBeGreaterThanOrEqual(1);
    for (const { quarter } of quarters) expect(Date.parse(quarter) % QUARTER).toBe(0);
  });

  test('are none of another HSM, and a refusal names the role', async () => {
    const gone = metrics.serviceHits(hsm().resourceId.replace(hsm().name, 'none-such'), ...span());
    expect(hasCode(await gone.catch((error: unknown) => error), 'ERR_NOT_FOUND')).toBe(true);
    estate.estate.faults.add({ service: 'management', operation: 'GET metrics', status: 403, count: 1 });
    const denied = await metrics.serviceHits(hsm().resourceId, ...span()).catch((error: unknown) => error);
    expect(hasCode(denied, 'ERR_DENIED')).toBe(true);
    expect((denied as Error & { nextStep: string }).nextStep).toContain('Reader');
  });
});
