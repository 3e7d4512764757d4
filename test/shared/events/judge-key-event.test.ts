import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AllowedOrigins, judgeKeyEvent } from '../../../shared/events/judge-key-event.ts';
import { OLD_VERSION } from '../builders.ts';

const HSM = '/subscriptions/S/resourceGroups/R/providers/Microsoft.KeyVault/managedHSMs/contoso-hsm';
const OTHER = '/subscriptions/S/resourceGroups/R/providers/Microsoft.KeyVault/managedHSMs/other-hsm';
const ALLOW: AllowedOrigins = {
  sources: ['/subscriptions/S/resourceGroups/R/providers/Microsoft.KeyVault/vaults/relay'],
  hsms: [
    { name: 'contoso-hsm', uri: 'https://contoso-hsm.managedhsm.azure.net/', resourceId: HSM },
    { name: 'other-hsm', uri: 'https://other-hsm.managedhsm.azure.net', resourceId: OTHER },
    { name: 'local-hsm', uri: 'https://127.0.0.1:8443', resourceId: `${OTHER}-local` },
  ],
};

const DATA = {
  Id: `https://contoso-hsm.managedhsm.azure.net/keys/payments-kek/${OLD_VERSION}`,
  VaultName: 'contoso-hsm',
  ObjectType: 'Key',
  ObjectName: 'payments-kek',
  Version: OLD_VERSION,
  NBF: null,
  EXP: 1_900_000_000,
};

const CLOUD_EVENT = {
  specversion: '1.0',
  id: 'e1',
  source: HSM,
  type: 'ManagedHsmLifecycle.KeyNearExpiry',
  subject: 'keys/payments-kek',
  time: '2030-01-01T00:00:00Z',
  data: DATA,
};

const GRID_EVENT = {
  id: 'e1',
  topic: HSM,
  subject: 'payments-kek',
  eventType: 'Microsoft.KeyVault.KeyExpired',
  eventTime: '2030-01-01T00:00:00Z',
  data: DATA,
  dataVersion: '1',
  metadataVersion: '1',
};

const judge = (event: unknown) => judgeKeyEvent(event, ALLOW);
const withData = (changes: Record<string, unknown>) => ({ ...CLOUD_EVENT, data: { ...DATA, ...changes } });

const without = (record: Record<string, unknown>, name: string) =>
  Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));

describe('judgeKeyEvent', () => {
  it('accepts a CloudEvent', () => {
    expect(judge(CLOUD_EVENT)).toEqual({
      kind: 'accepted',
      hsm: 'contoso-hsm',
      name: 'payments-kek',
      version: OLD_VERSION,
      eventType: 'ManagedHsmLifecycle.KeyNearExpiry',
      eventId: 'e1',
      expiresOn: '2030-03-17T17:46:40Z',
    });
  });

  it.each<[string, unknown]>([
    ['an Event Grid event', GRID_EVENT],
    ['a listed resource that speaks for an HSM', { ...CLOUD_EVENT, source: ALLOW.sources[0] }],
    ['a source in another case', { ...CLOUD_EVENT, source: HSM.toUpperCase() }],
    ['names in camel case', { ...CLOUD_EVENT, data: camelCase(DATA) }],
    ['the stray blank of a published sample', withBlankName()],
    ['a version with a blank in front', withData({ Version: ` ${OLD_VERSION}` })],
    ['an expiry as text', withData({ EXP: '1900000000' })],
    ['no expiry', { ...CLOUD_EVENT, data: without(DATA, 'EXP') }],
    ['no vault name', { ...CLOUD_EVENT, data: without(DATA, 'VaultName') }],
    ['an address with its default port', withData({ Id: DATA.Id.replace('.net/', '.net:443/') })],
    ['an HSM on a port', onLoopback()],
  ])('accepts %s', (_title, event) => {
    expect(judge(event).kind).toBe('accepted');
  });

  it.each<[string, unknown, string]>([
    ['a text', 'event', 'Malformed'],
    ['nothing', null, 'Malformed'],
    ['a list', [CLOUD_EVENT], 'Malformed'],
    ['an event without an id', without(CLOUD_EVENT, 'id'), 'Malformed'],
    ['an event without data', without(CLOUD_EVENT, 'data'), 'Malformed'],
    ['a version that is none', withData({ Version: '../x' }), 'Malformed'],
    ['a name that no key can have', withData({ ObjectName: 'a/b' }), 'Malformed'],
    ['a foreign resource', { ...CLOUD_EVENT, source: '/subscriptions/X/evil' }, 'ForeignSource'],
    ['a new version', { ...CLOUD_EVENT, type: 'Microsoft.KeyVault.KeyNewVersionCreated' }, 'UnknownType'],
    ['a secret', { ...CLOUD_EVENT, type: 'Microsoft.KeyVault.SecretNearExpiry' }, 'NotAKey'],
    ['a secret under a key type', withData({ ObjectType: 'Secret' }), 'NotAKey'],
    ['a subject that is another key', { ...CLOUD_EVENT, subject: 'keys/other' }, 'SubjectDisagrees'],
    ['no subject', without(CLOUD_EVENT, 'subject'), 'SubjectDisagrees'],
    ['an address of another key', withData({ Id: DATA.Id.replace('payments-kek', 'other') }), 'DataDisagrees'],
    ['an address of another version', withData({ Id: DATA.Id.replace(/a$/, 'b') }), 'DataDisagrees'],
    ['a name that is not of the address', withData({ VaultName: 'other-hsm' }), 'DataDisagrees'],
    ['an address with credentials', withData({ Id: DATA.Id.replace('https://', 'https://x@') }), 'DataDisagrees'],
    ['an address without encryption', withData({ Id: DATA.Id.replace('https', 'http') }), 'DataDisagrees'],
    ['an HSM that nobody looks after', strangerHsm(), 'UnknownHsm'],
    ['one HSM that speaks of another', { ...CLOUD_EVENT, source: OTHER }, 'UnknownHsm'],
  ])('ignores %s', (_title, event, reason) => {
    expect(judge(event)).toMatchObject({ kind: 'ignored', reason });
  });

  it('never throws and never accepts what was not said of a key that is looked after', () => {
    const mutated = fc
      .tuple(fc.constantFrom(...Object.keys(CLOUD_EVENT)), fc.jsonValue())
      .map(([name, value]) => ({ ...CLOUD_EVENT, [name]: value }));
    const mutatedData = fc
      .tuple(fc.constantFrom(...Object.keys(DATA)), fc.anything())
      .map(([name, value]) => withData({ [name]: value }));
    fc.assert(
      fc.property(fc.oneof(fc.anything(), mutated, mutatedData), (event) => {
        const verdict = judge(event);
        if (verdict.kind === 'accepted') expect(verdict.name).toBe('payments-kek');
        else expect(verdict.explanation).not.toMatch(/[\r\n]/);
      }),
      { numRuns: 500 },
    );
  });
});

const SAMPLES = new URL('../../../../shared/spec/eventgrid/derived-key-events.json', import.meta.url);
const available = existsSync(SAMPLES);
if (!available) console.info('Conformance of key events skipped: no specification data beside the project.');

describe.skipIf(!available)('the documented events of vaults', () => {
  const samples = available ? JSON.parse(readFileSync(SAMPLES, 'utf8')) : {};
  const vault =
    '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sample-rg/providers/Microsoft.KeyVault/vaults/sample-kv';
  const allow = {
    sources: [],
    hsms: [{ name: 'sample-kv', uri: 'https://sample-kv.vault.azure.net', resourceId: vault }],
  };

  it.each(['eventGridSchema', 'cloudEventsSchema'])('are read in the %s', (schema) => {
    for (const type of ['KeyNearExpiry', 'KeyExpired']) {
      expect(judgeKeyEvent(samples[type][schema], allow)).toMatchObject({
        kind: 'accepted',
        name: 'sample-key',
        version: '4387e9f3d6e14c459867679a90fd0f79',
      });
    }
    expect(judgeKeyEvent(samples.KeyNewVersionCreated[schema], allow)).toMatchObject({ reason: 'UnknownType' });
  });

  it.each(['event-grid-schema', 'cloud-events-schema'])('about secrets are ignored in the %s', (schema) => {
    const example = new URL(`examples/secret_new_version_created.${schema}.json`, SAMPLES);
    const event = JSON.parse(readFileSync(example, 'utf8'));
    const sources = [event.topic ?? event.source];
    expect(judgeKeyEvent(event, { ...allow, sources })).toMatchObject({ kind: 'ignored', reason: 'NotAKey' });
  });
});

function camelCase(data: Record<string, unknown>) {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name[0]?.toLowerCase() + name.slice(1), value]),
  );
}

function withBlankName() {
  return { ...CLOUD_EVENT, data: { ...without(DATA, 'ObjectName'), 'ObjectName ': DATA.ObjectName } };
}

function onLoopback() {
  const data = {
    ...DATA,
    VaultName: 'local-hsm',
    Id: DATA.Id.replace('contoso-hsm.managedhsm.azure.net', '127.0.0.1:8443'),
  };
  return { ...CLOUD_EVENT, source: `${OTHER}-local`, data };
}

function strangerHsm() {
  const data = { ...DATA, VaultName: 'stranger', Id: DATA.Id.replace('contoso-hsm', 'stranger') };
  return { ...CLOUD_EVENT, source: ALLOW.sources[0], data };
}
