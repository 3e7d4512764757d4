import type { DutyRole } from '../../../infra/tools/setup-plan.ts';
import { type Deployed, dutyIn, everything, type Fields, modules, sourceOf } from './template.ts';

/** [duty, what is lost without it, account, container or queue, role]. */
type OnStorage = [duty: string, need: string, account: string, place: string, role: string];
/** The whole of it: nothing else is granted on storage. */
export const ON_STORAGE: OnStorage[] = [
  ['host', 'locks, timers, histories and packages', 'hostAccount', '', 'blobOwner'],
  ['host', 'work items of orchestrations', 'hostAccount', '', 'queueContributor'],
  ['host', 'histories of orchestrations', 'hostAccount', '', 'tableContributor'],
  ['observe', 'the policy', 'stateAccount', 'policy', 'blobReader'],
  ['observe', 'state', 'stateAccount', 'state', 'blobContributor'],
  ['observe', 'evidence', 'stateAccount', 'evidence', 'blobContributor'],
  ['observe', 'backups of single keys before a rotation', 'stateAccount', 'key-backups', 'blobContributor'],
  ['observe', 'key events', 'stateAccount', 'key-events', 'queueContributor'],
  ['observe', 'key events that failed', 'stateAccount', 'key-events-poison', 'queueContributor'],
  ['record', 'the journal', 'stateAccount', 'journal', 'blobContributor'],
  ['backup', 'backups that the HSM writes', 'landingAccount', '', 'blobContributor'],
  ['backup', 'locked copies', 'vaultAccount', 'hsm-backups', 'copiesRole'],
];

/** https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
const BUILT_IN: Record<string, string> = {
  blobOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  blobContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
  blobReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1',
  queueContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  tableContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
};

/** [duty, what is lost without it, the assignment, module parameter that names the identity, role: a GUID or a module's own]. */
type Elsewhere = [duty: string, need: string, assignment: string, param: string, role: string];
export const ELSEWHERE: Elsewhere[] = [
  ['observe', 'publishing events', 'topic/publishes', 'publisherId', 'd5a91429-5739-47e2-a06b-3470a27159e7'],
  ['observe', 'reading audit logs', 'monitoring/reads', 'readerId', '73c42c96-874c-492b-b04d-ab87d138a893'],
  ['observe', 'an HSM as a resource', 'hsmWatch/observes', 'observerId', 'acdd72a7-3385-48ef-bd42-f606fba81ae7'],
  ['host', 'telemetry', 'monitoring/writes', 'writerId', '3913510d-42f4-4e42-8a64-420c390055eb'],
  ['host', 'the sign-in to mail', 'mailSecret/reads', 'principalId', '4633458b-17de-408a-b874-0445c86b69e6'],
  ['host', 'signing webhooks', 'webhookSecret/reads', 'principalId', '4633458b-17de-408a-b874-0445c86b69e6'],
  ['restore', 'making an HSM in a recovery', 'recover/assignment', 'principalId', 'recoveries'],
  ['restore', 'finding and purging deleted HSMs', 'recoverDeleted/assignment', 'principalId', 'deleted-hsms'],
  ['restore', 'the endpoint of an HSM that it made', 'joinsSubnet/assignment', 'principalId', 'joins-subnet'],
  ['restore', 'the name of an HSM that it made', 'joinsZone/assignment', 'principalId', 'joins-zone'],
  [
    'restore',
    'attaching the backup identity to an HSM that it made',
    ...(['attaches/assignment', 'principalId', 'f1a07417-d97a-45cb-824c-7a7467783830'] as const),
  ],
];

/** What the topic does as itself, of its system-assigned identity. */
const OF_TOPIC: [need: string, module: string, roleVariable: string][] = [
  ['delivering events', 'topic/sends', 'queueSender'],
  ['keeping what cannot be delivered', 'topic/keeps', 'blobContributor'],
];

/** What the app registration of Communication Services does, which is nobody's duty of ours. */
const OF_MAIL: [need: string, assignment: string, role: string][] = [
  ['sending by Communication Services', 'postOffice/sends', '09976791-48a7-449e-bb21-39d1a415f350'],
];

const BLOBS = 'Microsoft.Storage/storageAccounts/blobServices/containers/blobs';
/** [duty, what is lost without it, custom role, its actions]. */
export const CUSTOM: [duty: string, need: string, role: string, actions: string[]][] = [
  [
    'backup',
    'the container of copies',
    'copiesRole/role',
    ['Microsoft.Storage/storageAccounts/blobServices/containers/read'],
  ],
  [
    'backup',
    'writing and reading copies',
    'copiesRole/role',
    [`${BLOBS}/read`, `${BLOBS}/write`, `${BLOBS}/add/action`],
  ],
  [
    'backup',
    'deleting copies whose time is over',
    'copiesRole/role',
    [`${BLOBS}/delete`, `${BLOBS}/deleteBlobVersion/action`],
  ],
  ['backup', 'locking copies', 'copiesRole/role', [`${BLOBS}/immutableStorage/runAsSuperUser/action`]],
  [
    'restore',
    'making and removing HSMs',
    'recover/role',
    [
      ...['read', 'write', 'delete'].map((verb) => `Microsoft.KeyVault/managedHSMs/${verb}`),
      'Microsoft.KeyVault/locations/managedHsmOperationResults/read',
    ],
  ],
  [
    'restore',
    'the way to an HSM that it made',
    'recover/role',
    [
      'Microsoft.KeyVault/managedHSMs/PrivateEndpointConnectionsApproval/action',
      ...['read', 'write', 'delete'].map((verb) => `Microsoft.Network/privateEndpoints/${verb}`),
      ...['read', 'write'].map((verb) => `Microsoft.Network/privateEndpoints/privateDnsZoneGroups/${verb}`),
    ],
  ],
  [
    'restore',
    'finding and purging deleted HSMs',
    'recoverDeleted/role',
    [
      'Microsoft.KeyVault/deletedManagedHsms/read',
      'Microsoft.KeyVault/locations/deletedManagedHsms/read',
      'Microsoft.KeyVault/locations/deletedManagedHsms/purge/action',
    ],
  ],
  [
    'restore',
    'the endpoint of an HSM that it made',
    'joinsSubnet/role',
    ['read', 'join/action'].map((verb) => `Microsoft.Network/virtualNetworks/subnets/${verb}`),
  ],
  [
    'restore',
    'the name of an HSM that it made',
    'joinsZone/role',
    ['read', 'join/action'].map((verb) => `Microsoft.Network/privateDnsZones/${verb}`),
  ],
];

/** [duty, what is lost without it, data actions inside the HSM]. */
export const IN_HSM: [duty: string, need: string, actions: string[]][] = [
  ['observe', 'sweeps and read-back', ['keys/read']],
  ['observe', 'who held what, in manifests and findings', ['roleDefinitions/read', 'roleAssignments/read']],
  ['observe', 'changed settings', ['settings/read']],
  ['observe', 'where a backup went', ['backup/status']],
  ['rotate', 'rotation', ['keys/read', 'keys/rotate']],
  ['rotate', 'proofs', ['wrap', 'unwrap', 'encrypt', 'decrypt', 'sign', 'verify'].map((verb) => `keys/${verb}`)],
  ['rotate', 'a backup of the key first', ['keys/backup']],
  ['maintain-policy', 'rotation policies, tags and retirement', ['keys/read', 'keys/write']],
  ['backup', 'full backups', ['backup/start', 'backup/status']],
  ['restore', 'restores of an HSM', ['restore/start', 'restore/status']],
  ['restore', 'restores of one key', ['keys/restore', 'keys/deletedKeys/read']],
  ['respond', 'containment', ['roleAssignments/read', 'roleAssignments/delete', 'roleDefinitions/read']],
  ['reinstate', 'putting an assignment back', ['roleAssignments/read', 'roleAssignments/write']],
];

/**
 * What duties lose and who holds more than its duty, one sentence each: `observe loses the journal`. Nothing when template and
 * local roles grant what the tables above say, and no more.
 */
export function complaints(template: { [key: string]: Fields }, roles: DutyRole[]): string[] {
  return [...ofStorage(template), ...ofAssignments(template), ...ofCustomRoles(template), ...ofHsm(roles)];
}

const calls = (template: Fields, module: string) =>
  modules(template)
    .filter(({ at }) => at === module)
    .map(({ params }) => params);

function ofStorage(template: { [key: string]: Fields }): string[] {
  const given = (calls(template, 'access')[0]?.assignments ?? []) as Fields[];
  const guids = template.variables?.roles as Record<string, string> | undefined;
  const rows = given.map(({ account, container, queue, principalId, role }) => {
    const named = /variables\('roles'\)\.(\w+)/.exec(String(role))?.[1] ?? sourceOf(role ?? '');
    const right = BUILT_IN[named] === undefined || guids?.[named] === BUILT_IN[named];
    return [
      dutyIn(principalId ?? ''),
      sourceOf(account ?? ''),
      container ?? queue ?? '',
      right ? named : 'another',
    ].join(' ');
  });
  const wanted = ON_STORAGE.map(([duty, , account, place, role]) => [duty, account, place, role].join(' '));
  // The three modules that carry the rows out, each for its kind of place.
  const carried = (place: string, account: string) => {
    const at = place === '' ? 'onAccount' : place.startsWith('key-events') ? 'onQueue' : 'onContainer';
    return account !== '' && everything(template).some((one) => one.at === `access/${at}/assignment`);
  };
  return [
    ...ON_STORAGE.filter(
      ([, , account, place], at) => !rows.includes(wanted[at] ?? '') || !carried(place, account),
    ).map(([duty, need]) => `${duty} loses ${need}`),
    ...rows.filter((row) => !wanted.includes(row)).map((row) => `more than a duty: ${row}`),
  ];
}

function ofAssignments(template: { [key: string]: Fields }): string[] {
  const found = everything(template).filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments');
  const known = [
    ...ELSEWHERE.map(([, , at]) => at),
    ...OF_TOPIC.map(([, at]) => `${at}/assignment`),
    ...OF_MAIL.map(([, at]) => at),
  ];
  const elsewhere = found.filter(({ at }) => !known.includes(at) && !at.startsWith('access/'));
  return [
    ...ELSEWHERE.filter((row) => !isGranted(template, found, row)).map(([duty, need]) => `${duty} loses ${need}`),
    ...OF_TOPIC.filter(([, at, role]) => {
      const there = found.some((one) => one.at === `${at}/assignment`);
      return !there || calls(template, at)[0]?.role !== `[variables('${role}')]`;
    }).map(([need]) => `topic loses ${need}`),
    ...OF_MAIL.filter(([, at, role]) => !holdsRole(template, found, at, role)).map(([need]) => `mail loses ${need}`),
    ...elsewhere.map(({ at }) => `more than a duty: ${at}`),
  ];
}

function isGranted(template: Fields, found: Deployed[], [duty, , at, param, role]: Elsewhere): boolean {
  const called = calls(template, at.split('/')[0] ?? '')[0];
  const assignment = found.find((one) => one.at === at);
  if (dutyIn(called?.[param] ?? '') !== duty) return false;
  return assignment?.properties.principalId === `[parameters('${param}')]` && holdsRole(template, found, at, role);
}

/** `role` is a GUID that a variable of the module holds, or the word that names its custom role. */
function holdsRole(template: Fields, found: Deployed[], at: string, role: string): boolean {
  const id = String(found.find((one) => one.at === at)?.properties.roleDefinitionId);
  const variable = /variables\('(\w+)'\)/.exec(id)?.[1];
  if (variable === undefined) return id.includes(`'${role}'`);
  const modules = template.resources as Record<string, { properties: { template: Fields } }>;
  const { variables = {} } = modules[at.split('/')[0] ?? '']?.properties.template ?? {};
  return (variables as Fields)[variable] === role;
}

function ofCustomRoles(template: { [key: string]: Fields }): string[] {
  const held = everything(template)
    .filter(({ type }) => type === 'Microsoft.Authorization/roleDefinitions')
    .flatMap(({ at, properties }) =>
      (properties.permissions as Fields[]).flatMap(({ actions, dataActions }) =>
        [actions, dataActions].flat().map((action) => `${at} ${spelt(String(action))}`),
      ),
    );
  const wanted = CUSTOM.flatMap(([, , role, actions]) => actions.map((action) => `${role} ${action}`));
  return [
    ...CUSTOM.filter(([, , role, actions]) => actions.some((action) => !held.includes(`${role} ${action}`))).map(
      ([duty, need]) => `${duty} loses ${need}`,
    ),
    ...held.filter((one) => !wanted.includes(one)).map((one) => `more than a duty: ${one}`),
  ];
}

/** `[format('{0}/read', variables('blobs'))]` as it is evaluated. */
const spelt = (action: string): string =>
  action.replace(/^\[format\('\{0\}(.+)', variables\('blobs'\)\)\]$/, `${BLOBS}$1`);

function ofHsm(roles: DutyRole[]): string[] {
  const held = roles.flatMap(({ duty, permissions }) =>
    permissions.flatMap(({ actions, dataActions }) =>
      [...actions, ...dataActions].map((action) => `${duty} ${action}`),
    ),
  );
  const full = (action: string) => `Microsoft.KeyVault/managedHsm/${action}/action`;
  const wanted = IN_HSM.flatMap(([duty, , actions]) => actions.map((action) => `${duty} ${full(action)}`));
  return [
    ...IN_HSM.filter(([duty, , actions]) => actions.some((action) => !held.includes(`${duty} ${full(action)}`))).map(
      ([duty, need]) => `${duty} loses ${need}`,
    ),
    ...held.filter((one) => !wanted.includes(one)).map((one) => `more than a duty: ${one}`),
  ];
}
