import { type Calendar, createCalendar, DAY, dateOf, ZONES } from './calendar.ts';
import type { TrafficCaller, TrafficGrant, TrafficKey, TrafficRole } from './call.ts';
import { ROLES } from './operations.ts';
import type { TrafficParameters } from './parameters.ts';
import { randomFor } from './random.ts';

/** Something that calls: who, from where, with what. */
export interface Client {
  caller: TrafficCaller;
  address: string;
  subnet: string;
  trustedService: string;
  userAgent: string;
}

export interface Consumer extends Client {
  key: string;
  /** Time from a new version to its use. */
  adoptsAfter: number;
}

/** One HSM with all who use it, before anything happens. */
export interface Site {
  seed: number;
  hsm: string;
  host: string;
  parameters: TrafficParameters;
  /** Start of the history, start of what is judged, end. */
  from: number;
  judged: number;
  to: number;
  calendar: Calendar;
  privateOnly: boolean;
  keys: Map<string, TrafficKey>;
  storage: Consumer[];
  /** Key and the storage identity that uses it now and then. */
  minor: Consumer[];
  sql: (Consumer & { databases: number })[];
  signing: Consumer;
  envelope: Consumer;
  batch: Consumer;
  dormant: string[];
  decoys: string[];
  canary: string;
  people: Client[];
  own: Record<'observe' | 'rotate' | 'backup' | 'onboard' | 'canary', Client>;
  policyScan: Client;
  /** Kept for emergencies; nobody uses it in the clean traffic. */
  breakGlass: Client;
  grants: TrafficGrant[];
  definitions: TrafficRole[];
  settings: Record<string, string>;
  approvedContainer: string;
}

const SDK = 'azsdk-net-Security.KeyVault.Keys/4.6.0 (.NET 8.0.8; Linux)';
export const PORTAL = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36';
/** Azure Policy: https://learn.microsoft.com/azure/key-vault/managed-hsm/azure-policy */
const POLICY_SCAN_APP = 'a1b76039-a76c-499f-a2dd-846b4cc32627';

export function createSite(seed: number, index: number, parameters: TrafficParameters): Site {
  const random = randomFor(seed, index, 'site');
  const hsm = `hsm-${seed}-${index}`;
  const monday = Date.UTC(2024, 0, 1) + random.between(0, 150) * 7 * DAY;
  const judged = monday + parameters.historyWeeks * 7 * DAY;
  const to = judged + parameters.weeks * 7 * DAY;
  const years = [2023, 2024, 2025, 2026, 2027, 2028];
  const ownHolidays = Array.from({ length: 2 }, () => dateOf(monday + random.between(0, (to - monday) / DAY) * DAY));
  const calendar = createCalendar(ZONES[seed % ZONES.length] as (typeof ZONES)[number], ownHolidays, years);
  const privateOnly = seed % 2 === 0;

  const keys = new Map<string, TrafficKey>();
  const addKey = (name: string, keyClass: string, decoy = false) => {
    const createdOn = monday - random.between(120, 700) * DAY;
    keys.set(name, { name, createdOn, versions: [{ version: random.hex(32), createdOn }], keyClass, decoy });
    return name;
  };
  const service = (address: string, trustedService: string, subnet = ''): Client => ({
    caller: { oid: random.guid(), app: random.guid(), upn: '' },
    address,
    subnet,
    trustedService,
    userAgent: trustedService === '' ? SDK : trustedService,
  });
  const trusted = (name: string) =>
    service(`20.${random.between(33, 120)}.${random.between(0, 255)}.${random.between(1, 254)}`, name);
  const inside = (host: number) => service(`10.1.0.${host}`, '', 'snet-app');
  const consumer = (client: Client, key: string, adoptsAfter: number): Consumer => ({ ...client, key, adoptsAfter });
  const number = (value: number) => String(value).padStart(2, '0');
  const list = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, each) => make(each));

  const storage = list(parameters.storage.identities, (each) =>
    consumer(
      trusted('AzureStorage'),
      addKey(`storage-${number(each + 1)}`, 'tier1'),
      random.between(1, 24) * (DAY / 24),
    ),
  );
  const minor = list(parameters.minor.keys, (each) => ({
    ...(storage[each % storage.length] as Consumer),
    key: addKey(`scope-${number(each + 1)}`, 'tier2'),
  }));
  const sql = list(parameters.sql.identities, (each) => ({
    ...consumer(trusted('AzureSQL'), addKey(`sql-${number(each + 1)}`, 'tier0'), random.between(5, 60) * 60_000),
    databases: random.between(...parameters.sql.databases),
  }));
  const people = list(parameters.people.admins, (each) => ({
    caller: {
      oid: random.guid(),
      app: '04b07795-8ddb-461a-bbee-02f9e1bf7b46',
      upn: `admin${each + 1}@contoso.example`,
    },
    address: privateOnly ? `10.9.0.${10 + each}` : `203.0.113.${10 + each}`,
    subnet: privateOnly ? 'snet-jump' : '',
    trustedService: '',
    userAgent: each % 2 === 0 ? PORTAL : 'AZURECLI/2.64.0 (DEB) azsdk-python-core/1.30.2 Python/3.11.8',
  }));
  const own = {
    observe: inside(201),
    rotate: inside(202),
    backup: inside(203),
    onboard: inside(204),
    canary: inside(205),
  };
  const sealed = randomFor(seed, index, 'break glass');
  const breakGlass: Client = {
    ...(people[0] as Client),
    caller: { oid: sealed.guid(), app: '04b07795-8ddb-461a-bbee-02f9e1bf7b46', upn: 'emergency1@contoso.example' },
    userAgent: PORTAL,
  };
  const site: Site = {
    seed,
    hsm,
    host: `${hsm}.managedhsm.azure.net`,
    parameters,
    from: monday,
    judged,
    to,
    calendar,
    privateOnly,
    keys,
    storage,
    minor,
    sql,
    signing: consumer(inside(31), addKey('payments-signing', 'tier0'), 0),
    envelope: consumer(inside(32), addKey('envelope', 'tier0'), 10 * 60_000),
    batch: consumer(inside(33), addKey('statements', 'tier1'), 10 * 60_000),
    dormant: list(parameters.dormant, (each) => addKey(`retired-${number(each + 1)}`, 'tier2')),
    decoys: list(parameters.decoys, (each) => addKey(`root-master-${number(each + 1)}`, 'tier2', true)),
    canary: addKey('lifecycle-canary', 'tier2'),
    people,
    own,
    policyScan: { ...trusted('AzurePolicy'), userAgent: 'azure-policy-insights' },
    breakGlass,
    grants: [],
    definitions: [],
    settings: { AllowKeyManagementOperationsThroughARM: 'false' },
    approvedContainer: 'https://landing.blob.core.windows.net/hsm-backups',
  };
  site.policyScan.caller.app = POLICY_SCAN_APP;
  const grant = (principal: Client, role: string, scope: string) =>
    void site.grants.push({ id: random.guid(), scope, role, principalId: principal.caller.oid });
  for (const each of [...storage, ...minor, ...sql]) grant(each, ROLES.serviceEncryptionUser, `/keys/${each.key}`);
  for (const each of [site.signing, site.envelope, site.batch]) grant(each, ROLES.cryptoUser, `/keys/${each.key}`);
  for (const [each, person] of people.entries())
    grant(person, each === 0 ? ROLES.administrator : ROLES.cryptoAuditor, '/');
  site.grants.push({ id: sealed.guid(), scope: '/', role: ROLES.administrator, principalId: breakGlass.caller.oid });
  site.definitions.push({
    id: random.guid(),
    name: 'Key readers',
    dataActions: ['Microsoft.KeyVault/managedHsm/keys/read/action'],
  });
  return site;
}
