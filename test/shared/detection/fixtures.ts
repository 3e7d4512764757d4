import type { CallGroup } from '../../../shared/detection/audit-call.ts';
import type { DetectionFacts, LedgerIntent } from '../../../shared/detection/detection-facts.ts';
import { newCaller } from '../../../shared/detection/habits.ts';
import type { CallerMemory, DetectionMemory, SeriesMemory } from '../../../shared/detection/memory.ts';
import type { DetectionRule, DetectorId } from '../../../shared/detection/rule.ts';
import { ALICE, aCall, grownMemory, hsmCall, OURS, STORAGE } from './builders.ts';

/** A window with what was known before it. */
export interface Fixture {
  facts: Partial<DetectionFacts>;
  memory?: DetectionMemory;
  rule?: Partial<DetectionRule>;
}

const alice = { oid: ALICE, upn: 'alice@contoso.example' };
const ours = { oid: OURS, app: OURS };
const GUID = '6a1b2c3d-0000-4000-8000-000000000001';
const ADMINISTRATOR = 'a290e904-7015-4bba-90c8-60543313cdb4';
const ENCRYPTION_USER = '33413926-3206-4cdd-b39a-83574fe37a17';
const DAY = 20_524; // 2026-03-12

export const anIntent = (over: Partial<LedgerIntent> = {}): LedgerIntent => ({
  id: 'act-1:intent',
  hsm: 'contoso-hsm',
  target: 'keys/pay-01',
  clientId: OURS,
  from: '2026-03-12T09:55:00Z',
  to: '2026-03-12T10:20:00Z',
  count: {},
  ...over,
});

export const aCaller = (over: Partial<CallerMemory> = {}): CallerMemory => ({
  ...newCaller('2026-02-10T10:05:00.000Z'),
  last: '2026-03-12T09:00:00.000Z',
  actions: { 'crypto.unprotect unwrapkey': { weight: 900, firstDay: DAY - 30, day: DAY } },
  networks: { '10.1.2.0/24': { first: DAY - 30, last: DAY } },
  agents: { 'azsdk-net-storage': { first: DAY - 30, last: DAY } },
  ...over,
});

const usedTo = () =>
  grownMemory({
    callers: { [STORAGE]: aCaller() },
    pairs: { [`pay-01 ${STORAGE}`]: { first: DAY - 30, last: DAY, classes: ['crypto.unprotect'] } },
    keys: { 'pay-01': { first: '2026-02-10T10:05:00Z', lastUse: '2026-03-12T09:00:00Z' } },
  });

const onKey = (over: Partial<CallGroup>): CallGroup => {
  const { version: _version, verb: _verb, ...rest } = aCall();
  return { ...rest, caller: alice, ...over };
};

const grant = (over: Partial<CallGroup> = {}) =>
  hsmCall({
    class: 'rbac.assign.put',
    path: `/providers/microsoft.authorization/roleassignments/${GUID}`,
    status: 201,
    ...over,
  });

const granted = (role: string, principalId: string, scope = '/') => ({
  backupContainers: {},
  assignments: [{ id: GUID, scope, role, principalId }],
  assignmentsBefore: [],
});

/** Twenty an hour for four weeks up to 09:00. */
export const steadySeries = (perHour = 20): SeriesMemory => {
  const end = Math.floor(Date.parse('2026-03-12T09:00:00Z') / 3_600_000);
  return {
    start: end - 672,
    counts: Array.from({ length: 672 }, (_, index) => perHour + (index % 5) - 2),
    centres: Array<number>(48).fill(-1),
    moved: Array<number>(48).fill(0),
    drift: 0,
    z: 0,
  };
};

const hour = (count: number) => ({
  hsm: 'contoso-hsm',
  key: 'pay-01',
  caller: { oid: STORAGE },
  class: 'crypto.unprotect' as const,
  verb: 'unwrapkey',
  hour: '2026-03-12T09:00:00.000Z',
  count,
});

const withSeries = () => ({ ...usedTo(), series: { [`pay-01 ${STORAGE} crypto.unprotect`]: steadySeries() } });

const versions = (compromisedOn?: string) => [
  {
    name: 'pay-01',
    createdOn: '2025-01-01T00:00:00Z',
    versions: [
      { version: 'v1', createdOn: '2025-01-01T00:00:00Z', enabled: true },
      { version: 'v2', createdOn: '2026-03-01T00:00:00Z', enabled: true },
    ],
    decoy: false,
    ...(compromisedOn ? { compromisedOn } : {}),
  },
];

const protect = (version: string) => aCall({ class: 'crypto.protect', verb: 'wrapkey', version });

const quarter = (lastEvent: string) => ({
  hsm: 'contoso-hsm',
  quarter: lastEvent,
  rows: 12,
  lastEvent,
  lastArrival: lastEvent,
  canary: 3,
  lag: { p50: 200, p99: 500 },
});
const canary = { canary: { oid: OURS, key: 'canary', everyMinutes: 5 } };

/** For each detector a case that it must tell, and cases that look alike and must not be told. */
export const FIXTURES: Record<DetectorId, { fires: Fixture; silent: Fixture[] }> = {
  'security-domain-access': {
    fires: { facts: { calls: [hsmCall({ class: 'sd.download', path: '/securitydomain/download', status: 202 })] } },
    silent: [
      {
        facts: {
          calls: [hsmCall({ class: 'sd.download', path: '/securitydomain/download', status: 202, caller: ours })],
          intents: [anIntent({ target: 'securitydomain', count: { 'sd.download': 1 }, approvedBy: 'bob' })],
        },
      },
    ],
  },
  'unplanned-backup': {
    fires: { facts: { calls: [hsmCall({ class: 'backup.start', path: '/backup', status: 202 })] } },
    silent: [
      {
        facts: {
          calls: [
            hsmCall({ class: 'backup.start', path: '/backup', status: 202, caller: ours }),
            hsmCall({ class: 'backup.poll', path: '/backup/job1/pending', caller: ours, count: 40 }),
          ],
          intents: [anIntent({ target: 'backup', count: { 'backup.start': 1 } })],
          lookedUp: { backupContainers: { job1: 'https://landing.example/backups?sv=1' } },
        },
        rule: { backupContainers: ['https://landing.example/backups/'] },
      },
    ],
  },
  'unplanned-restore': {
    fires: { facts: { calls: [hsmCall({ class: 'restore.full', path: '/restore', status: 202 })] } },
    silent: [
      {
        facts: {
          calls: [hsmCall({ class: 'restore.full', path: '/restore', status: 202, caller: ours })],
          intents: [anIntent({ target: 'restore', count: { 'restore.full': 1 }, approvedBy: 'bob' })],
        },
      },
    ],
  },
  'key-material-movement': {
    fires: { facts: { calls: [onKey({ class: 'key.release', path: '/keys/pay-01/v1/release' })] } },
    silent: [
      {
        facts: {
          calls: [onKey({ class: 'key.backup', path: '/keys/pay-01/backup', caller: ours })],
          intents: [anIntent({ count: { 'key.backup': 1 } })],
        },
      },
    ],
  },
  'role-assignment-change': {
    fires: { facts: { calls: [grant()], lookedUp: granted(ADMINISTRATOR, ALICE) } },
    silent: [
      {
        facts: {
          calls: [
            grant({
              caller: ours,
              key: 'pay-01',
              path: `/keys/pay-01/providers/microsoft.authorization/roleassignments/${GUID}`,
            }),
          ],
          intents: [anIntent({ count: { 'rbac.assign.put': 1 } })],
          lookedUp: granted(ENCRYPTION_USER, STORAGE, '/keys/pay-01'),
        },
      },
    ],
  },
  'guard-rail-change': {
    fires: {
      facts: {
        calls: [hsmCall({ class: 'settings.update', path: '/settings/allowkeymanagementoperationsthrougharm' })],
        lookedUp: {
          backupContainers: {},
          settings: { AllowKeyManagementOperationsThroughARM: 'true' },
          settingsBefore: { AllowKeyManagementOperationsThroughARM: 'false' },
        },
      },
    },
    silent: [
      {
        facts: {
          calls: [hsmCall({ class: 'settings.read', path: '/settings' })],
          lookedUp: { backupContainers: {}, settings: { A: 'true' }, settingsBefore: { A: 'true' } },
        },
      },
    ],
  },
  destruction: {
    fires: {
      facts: { calls: [onKey({ class: 'key.purge', path: '/deletedkeys/pay-01', outcome: 'failed', status: 409 })] },
    },
    silent: [
      {
        facts: {
          calls: [onKey({ class: 'key.delete', path: '/keys/pay-01', caller: ours })],
          intents: [anIntent({ count: { 'key.delete': 1 } })],
        },
      },
      { facts: { calls: [onKey({ class: 'key.delete', path: '/keys/pay-01', outcome: 'denied', status: 403 })] } },
    ],
  },
  'logging-gap': {
    fires: {
      facts: { arrivals: [quarter('2026-03-12T08:30:00.000Z')], canarySuccesses: ['2026-03-12T10:00:00.000Z'] },
      rule: canary,
    },
    silent: [
      { facts: { arrivals: [quarter('2026-03-12T09:56:00.000Z')] }, rule: canary },
      // The HSM does not answer our own call either.
      { facts: { arrivals: [quarter('2026-03-12T08:30:00.000Z')], canarySuccesses: [] }, rule: canary },
    ],
  },
  'denied-burst': {
    fires: {
      facts: {
        calls: ['a', 'b', 'c', 'd', 'e', 'f'].map((key) =>
          aCall({ key, outcome: 'denied', status: 403, caller: { oid: 'stranger' } }),
        ),
      },
    },
    silent: [
      { facts: { calls: [aCall({ outcome: 'denied', status: 403, count: 3 })] } },
      // Two newcomers that stumble at a key or two are no search.
      {
        facts: {
          calls: ['a', 'b', 'c', 'd'].map((key, index) =>
            aCall({ key, outcome: 'denied', status: 403, caller: { oid: `stranger-${index % 2}` } }),
          ),
        },
      },
      { facts: { calls: [aCall({ outcome: 'challenged', status: 401, count: 500, caller: { oid: '' } })] } },
    ],
  },
  'first-seen-caller': {
    fires: { facts: { calls: [aCall({ caller: { oid: 'stranger' } })] }, memory: usedTo() },
    silent: [
      { facts: { calls: [aCall()] }, memory: usedTo() },
      // Ten days of history say too little.
      {
        facts: { calls: [aCall({ caller: { oid: 'stranger' } })] },
        memory: { ...usedTo(), since: '2026-03-02T00:00:00Z' },
      },
    ],
  },
  'unfamiliar-network': {
    fires: { facts: { calls: [aCall({ address: '198.51.100.7' })] }, memory: usedTo() },
    silent: [
      { facts: { calls: [aCall({ address: '10.1.2.99' })] }, memory: usedTo() },
      { facts: { calls: [aCall({ address: '20.40.1.2', trustedService: 'AzureStorage' })] }, memory: usedTo() },
    ],
  },
  'volume-out-of-season': {
    fires: { facts: { hours: [hour(400)] }, memory: withSeries() },
    silent: [
      { facts: { hours: [hour(28)] }, memory: withSeries() },
      {
        facts: { hours: [hour(140)] },
        memory: withSeries(),
        rule: { identities: [{ oid: STORAGE, name: 'sql-1', kind: 'sql', databases: 110 }] },
      },
      {
        facts: { hours: [hour(400)] },
        memory: withSeries(),
        rule: {
          announced: [{ oid: STORAGE, from: '2026-03-12T00:00:00Z', until: '2026-03-13T00:00:00Z', why: 'migration' }],
        },
      },
    ],
  },
  'dormant-key-use': {
    fires: {
      facts: { calls: [aCall()] },
      memory: { ...usedTo(), keys: { 'pay-01': { first: '2025-01-01T00:00:00Z', lastUse: '2026-01-20T00:00:00Z' } } },
    },
    silent: [
      { facts: { calls: [aCall()] }, memory: usedTo() },
      { facts: { calls: [onKey({ class: 'read.key', path: '/keys/pay-01' })] }, memory: grownMemory() },
    ],
  },
  'decoy-key-use': {
    fires: { facts: { calls: [onKey({ class: 'read.key', path: '/keys/pay-01' })] }, rule: { decoyKeys: ['Pay-01'] } },
    silent: [
      {
        facts: { calls: [onKey({ class: 'read.key', path: '/keys/pay-02', key: 'pay-02' })] },
        rule: { decoyKeys: ['pay-01'] },
      },
      {
        facts: { calls: [onKey({ class: 'read.key', path: '/keys/pay-01', caller: ours })] },
        rule: { decoyKeys: ['pay-01'] },
      },
    ],
  },
  'superseded-version-use': {
    fires: { facts: { calls: [protect('v1')], keys: versions('2026-03-01T00:00:00Z') }, memory: usedTo() },
    silent: [
      { facts: { calls: [protect('v2')], keys: versions() }, memory: usedTo() },
      { facts: { calls: [aCall()], keys: versions('2026-03-01T00:00:00Z') }, memory: usedTo() },
    ],
  },
  'operation-mix': {
    fires: { facts: { calls: [aCall({ class: 'crypto.protect', verb: 'sign' })] }, memory: usedTo() },
    silent: [{ facts: { calls: [aCall()] }, memory: usedTo() }],
  },
  'unclassified-call': {
    fires: { facts: { calls: [hsmCall({ class: 'unclassified', path: '/something/new', status: 202 })] } },
    silent: [{ facts: { calls: [hsmCall({ class: 'unclassified', path: '/something/new', status: 200 })] } }],
  },
  'break-glass-use': {
    fires: {
      facts: {
        calls: [hsmCall({ class: 'read.list', path: '/keys', outcome: 'denied', status: 403 })],
        breakGlass: [ALICE.toUpperCase()],
      },
    },
    silent: [
      { facts: { calls: [hsmCall({ class: 'read.list', path: '/keys' })], breakGlass: [STORAGE] } },
      {
        // A session that was told goes on.
        facts: { calls: [hsmCall({ class: 'read.list', path: '/keys' })], breakGlass: [ALICE] },
        memory: grownMemory({
          callers: { [ALICE]: aCaller({ last: '2026-03-12T09:30:00.000Z' }) },
          recent: [
            {
              ...{ id: 'told', detector: 'break-glass-use', hsm: 'contoso-hsm', caller: alice, keys: [], classes: [] },
              ...{ from: '2026-03-12T07:50:00.000Z', until: '2026-03-12T07:50:00.000Z', score: 60, severity: 'High' },
              ...{ class: 'misuse', assignments: [], marks: [] },
            },
          ],
        }),
      },
    ],
  },
  'unannounced-own-act': {
    fires: { facts: { calls: [onKey({ class: 'key.rotate', path: '/keys/pay-01/rotate', caller: ours })] } },
    silent: [
      {
        facts: {
          calls: [onKey({ class: 'key.rotate', path: '/keys/pay-01/rotate', caller: ours })],
          intents: [anIntent({ count: { 'key.rotate': 1 } })],
        },
      },
      { facts: { calls: [onKey({ class: 'read.key', path: '/keys/pay-01', caller: ours, count: 90 })] } },
    ],
  },
};
