import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideTearDown, drillTags, type TearDownFacts } from '../../../shared/drill/decide-tear-down.ts';

const NOW = new Date('2030-01-01T12:00:00Z');
const ours = drillTags('production', 'drill-contoso-1');
const live = (tags: Record<string, string> = ours, provisioningState = 'Succeeded') => ({ tags, provisioningState });
const deleted = { deletedOn: '2030-01-01T11:00:00Z', purgedOn: '2030-01-08T11:00:00Z', purgeProtection: false };
const settled = '2030-01-01T11:59:59Z';
const facts = (changes: Partial<TearDownFacts>): TearDownFacts => ({
  ...{ installation: 'production', drill: 'drill-contoso-1', hsm: 'drill-0123', now: NOW },
  ...changes,
});

describe('decideTearDown', () => {
  it.each<[string, Partial<TearDownFacts>, string]>([
    ['deletes what the drill made', { live: live(), creationSettlesOn: settled }, 'delete'],
    ['deletes it while it is still being made', { live: live(ours, 'Provisioning') }, 'delete'],
    ['waits while it is being deleted', { live: live(ours, 'Deleting') }, 'wait'],
    [
      'leaves what another drill made',
      { live: live({ ...ours, 'mhsm-drill': 'x' }), creationSettlesOn: settled },
      'notOurs',
    ],
    [
      'leaves what the same drill of another installation made',
      { live: live({ ...ours, 'mhsm-installation': 'test' }), creationSettlesOn: settled },
      'notOurs',
    ],
    ['leaves what nobody tagged', { live: live({}), creationSettlesOn: settled }, 'notOurs'],
    ['has nothing to do with a name that was taken before', { live: live({}) }, 'gone'],
    ['waits for a creation that may still take effect', { creationSettlesOn: '2030-01-01T12:00:01Z' }, 'wait'],
    ['is over when that creation never came', { creationSettlesOn: settled }, 'gone'],
    ['is over when nothing was ever sent', {}, 'gone'],
    ['is over when it is soft-deleted', { deleted, creationSettlesOn: '2030-01-01T13:00:00Z' }, 'gone'],
  ])('%s', (_, changes, kind) => {
    expect(decideTearDown(facts(changes)).kind).toBe(kind);
  });

  it('never deletes what does not carry both tags', () => {
    const tags = fc.dictionary(
      fc.constantFrom('mhsm-drill', 'mhsm-installation', 'owner'),
      fc.constantFrom('production', 'drill-contoso-1', 'x'),
    );
    fc.assert(
      fc.property(tags, fc.option(fc.constant(settled), { nil: undefined }), (found, sent) => {
        const decision = decideTearDown(facts({ live: live(found), ...(sent ? { creationSettlesOn: sent } : {}) }));
        const carries = found['mhsm-drill'] === 'drill-contoso-1' && found['mhsm-installation'] === 'production';
        expect(decision.kind === 'delete').toBe(carries);
      }),
    );
  });
});
