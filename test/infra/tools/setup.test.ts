import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type RunningEstate, startEstate } from '../../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../../infra/local/identity/registrations.ts';
import { hsmResourceId, RESOURCE_GROUP } from '../../../infra/local/seed/resource-id.ts';
import { runSetup } from '../../../infra/tools/setup.ts';
import { scratch } from '../local/support/parts.ts';

const NEW = hsmResourceId('fresh');
const BACKUP_IDENTITY = `${RESOURCE_GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup`;
const CRYPTO_USER = '21dbd100-6940-42c2-9190-5d6cb909625b';
const DUTIES = ['observe', 'rotate', 'backup', 'respond'] as const;
const PRINCIPALS = Object.fromEntries(
  DUTIES.map((duty) => [`${duty.toUpperCase()}_PRINCIPAL_ID`, IDENTITIES[duty].objectId]),
);

let estate: RunningEstate;
const hsm = () => {
  const found = estate.hsms.find(({ name }) => name === 'fresh');
  if (!found) throw new Error('no HSM');
  return found;
};
const ofApp = () => {
  const ids = new Set<string>(Object.values(PRINCIPALS));
  return hsm()
    .contents()
    .roleAssignments.filter(({ properties }) => ids.has(properties.principalId));
};

beforeAll(async () => {
  estate = await startEstate({ seed: 'empty', host: false });
  // The command signs in as it does anywhere: DefaultAzureCredential, here as the administrator of the estate.
  for (const [name, value] of Object.entries(estate.ready.env)) vi.stubEnv(name, value);
  const { token } = await estate.tokens.forIdentity(IDENTITIES.administrator, 'https://management.azure.com');
  const { status } = await estate.call({
    method: 'PUT',
    url: `${estate.ready.management}${NEW}?api-version=2026-02-01`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      location: 'northeurope',
      properties: { tenantId: estate.estate.tenantId, initialAdminObjectIds: [IDENTITIES.administrator.objectId] },
    }),
  });
  expect(status).toBe(202);
  estate.estate.clock.advance(30_000);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await estate.stop();
});

/** Takes away what the test of excess left behind. */
const dropExcess = () => {
  const { roleAssignments, ...rest } = hsm().contents();
  const kept = roleAssignments.filter(({ properties }) => !properties.roleDefinitionId.endsWith(CRYPTO_USER));
  hsm().replaceContents({ ...rest, roleAssignments: kept });
};

async function policyFile(policy: object): Promise<string> {
  const path = join(await scratch(), 'policy.json');
  await writeFile(path, JSON.stringify({ version: 1, owners: { fallback: ['keys@contoso.example'] }, ...policy }));
  return path;
}

async function patchSetting(value: string) {
  const { token } = await estate.tokens.forIdentity(IDENTITIES.administrator, 'https://managedhsm.azure.net');
  const { status } = await estate.call({
    method: 'PATCH',
    url: `${hsm().uri}/settings/AllowKeyManagementOperationsThroughARM?api-version=2025-07-01`,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ value }),
  });
  expect(status).toBe(200);
}

async function setup(args: string[] = [], env: Record<string, string> = PRINCIPALS) {
  const lines: string[] = [];
  const print = (text: string) => void lines.push(text);
  const all = ['--hsm', NEW, '--arm', estate.ready.management, '--backup-identity', BACKUP_IDENTITY, ...args];
  const code = await runSetup(all, env, { log: print, error: print });
  return { code, text: lines.join('\n') };
}

describe('on an HSM of the embedded estate, from its creation on', () => {
  test('nothing is done before the HSM is activated, and the way to that is named', async () => {
    const { code, text } = await setup();
    expect(code).toBe(1);
    expect(text).toContain('not activated (NotActivated)');
    expect(text).toContain('Activate an HSM');
    hsm().setActivated(true);
  });

  test('who is not signed in is told so, and not of identities of the app', async () => {
    vi.stubEnv('AZURE_CLIENT_ID', '00000000-0000-0000-0000-0000000000ff');
    const { code, text } = await setup(['--dry-run']);
    vi.stubEnv('AZURE_CLIENT_ID', IDENTITIES.administrator.clientId);
    expect(code).toBe(2);
    expect(text).toContain('You are not signed in');
    expect(text).toContain('az login');
    expect(text).not.toContain('attached to the app');
  });

  test('a dry run says what it would do, and does none of it', async () => {
    const { code, text } = await setup(['--dry-run']);
    expect(code).toBe(1);
    expect(text.match(/^Would /gm)).toHaveLength(9);
    expect(ofApp()).toEqual([]);
    expect(hsm().backups.identities.size).toBe(0);
  });

  test('a run that is cut off leaves what it did, and the next one does the rest', async () => {
    estate.estate.faults.add({ service: 'hsm', operation: 'RoleAssignmentPut', status: 403, count: 1 });
    const cut = await setup();
    expect(cut.code).toBe(2);
    expect(ofApp()).toEqual([]);
    expect(hsm().contents().roleDefinitions.length).toBe(DUTIES.length);
    estate.estate.faults.clear();
    const { code, text } = await setup();
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(text).not.toContain('define the role');
  });

  test('afterwards each duty has its role at its scope, the HSM has the backup identity, and nobody has more', async () => {
    const { code, text } = await setup();
    for (const duty of DUTIES) expect(text).toContain(`${duty}: no role but its own`);
    expect(code).toBe(0);
    expect(
      ofApp()
        .map(({ properties }) => properties.scope)
        .toSorted(),
    ).toEqual(['/', '/', '/', '/keys']);
    expect([...hsm().backups.identities]).toEqual(['backup']);
  });

  test('a second run changes nothing', async () => {
    const before = JSON.stringify(hsm().contents());
    const { code, text } = await setup();
    expect({ code, text }).toMatchObject({ code: 0, text: expect.stringContaining('Nothing to change.') });
    expect(JSON.stringify(hsm().contents())).toBe(before);
    expect((await setup(['--dry-run'])).code).toBe(0);
  });

  test('a role that was changed by hand is put right', async () => {
    const name = '00000000-0000-4000-8000-0000000e0002';
    hsm().seedRole({ name, roleName: 'Key lifecycle: rotate', dataActions: ['keys/read/action', 'keys/delete'] });
    const { code, text } = await setup();
    expect(text).toContain('define the role "Key lifecycle: rotate" (its data actions differ)');
    expect(code).toBe(0);
    const role = hsm()
      .contents()
      .roleDefinitions.find((one) => one.name === name);
    expect(role?.properties.permissions[0]?.dataActions).not.toContain('Microsoft.KeyVault/managedHsm/keys/delete');
  });

  test('an identity that holds more than its duty is found, left as it is, and the command to end it is shown', async () => {
    hsm().seedAssignment({
      principalId: IDENTITIES.rotate.objectId,
      roleDefinitionId: CRYPTO_USER,
      scope: '/keys',
    });
    const { code, text } = await setup();
    expect(code).toBe(1);
    expect(text).toContain('rotate: its identity also holds "Managed HSM Crypto User" at /keys');
    expect(text).toContain('Microsoft.KeyVault/managedHsm/keys/delete');
    expect(text).toContain('az keyvault role assignment delete --hsm-name fresh --role 21dbd100-');
    expect(text).toContain('observe: no role but its own');
  });

  test('what is on by the built-in rule and lacks its role is told, with the command, and is no fault of the HSM', async () => {
    dropExcess();
    const { code, text } = await setup(['--dry-run']);
    expect(text).toContain('On by the built-in rule, and not permitted (give --policy to look at yours):');
    expect(text).toContain('repair of rotation policies (built in): rotate lacks keys/write at /keys.');
    expect(text).toContain('retirement of old versions (when a person asks for it): rotate lacks keys/write');
    expect(text).toContain(`--principal maintain-policy=${IDENTITIES.rotate.objectId}, or set rotation.drift to tell`);
    expect(text).not.toContain('backups (');
    expect(code).toBe(0);
  });

  test('what the policy has on and nobody may do makes the command end with 1, until it is granted', async () => {
    const policy = ['--policy', await policyFile({ defaults: { rotation: { drift: 'repair' } } })];
    const lacking = await setup(policy);
    expect(lacking.text).toContain('repair of rotation policies (defaults): rotate lacks keys/write at /keys.');
    expect(lacking.code).toBe(1);
    const granted = await setup([...policy, '--principal', `maintain-policy=${IDENTITIES.rotate.objectId}`]);
    expect({ code: granted.code, text: granted.text }).toMatchObject({ code: 0 });
    expect(granted.text).not.toContain('not permitted');
    // Found later by a run that does not name it, it is no excess, because the rule needs it.
    expect((await setup(policy)).code).toBe(0);
  });

  test('what the policy has off is not asked for', async () => {
    const off = { backup: { mode: 'off' }, response: { mode: 'notify' }, defaults: { rotation: { mode: 'off' } } };
    const observing = { OBSERVE_PRINCIPAL_ID: IDENTITIES.observe.objectId };
    const { code, text } = await setup(['--policy', await policyFile(off)], observing);
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(text).not.toContain('not permitted');
  });

  test('a policy that does not parse is refused with its faults', async () => {
    const { code, text } = await setup(['--policy', await policyFile({ defaults: { rotation: { drift: 'mend' } } })]);
    expect(code).toBe(2);
    expect(text).toMatch(/has 1 fault\(s\):\n {2}defaults\.rotation\.drift: /);
    expect((await setup(['--policy', '/nowhere.json'])).text).toContain('there is no such file');
  });

  test('trust in Resource Manager is warned of, with the command to end it, and left as it is', async () => {
    expect((await setup(['--dry-run'])).text).toContain('fresh does not trust Azure Resource Manager with keys.');
    await patchSetting('true');
    const { text } = await setup(['--dry-run']);
    expect(text).toContain('Warning: AllowKeyManagementOperationsThroughARM is on');
    expect(text).toContain('az keyvault setting update --hsm-name fresh');
    await patchSetting('false');
    estate.estate.faults.add({ service: 'hsm', operation: 'SettingList', status: 403, count: 1 });
    expect((await setup(['--dry-run'])).text).toContain('Not known: whether fresh trusts');
    estate.estate.faults.clear();
  });

  test('restoring and reinstating are granted only when they are named', async () => {
    const given = [`--principal=restore=${IDENTITIES.restore.objectId}`, '--dry-run'];
    expect((await setup(given)).text).toContain(`assign the role of restore to ${IDENTITIES.restore.objectId} at /`);
    const everyone = { ...PRINCIPALS, RESTORE_PRINCIPAL_ID: IDENTITIES.restore.objectId };
    expect((await setup(['--dry-run'], everyone)).text).not.toMatch(/^(Would|restore)/m);
  });
});

describe('what it cannot take is refused by option, rule and example', () => {
  const SAME = { OBSERVE_PRINCIPAL_ID: IDENTITIES.observe.objectId, ROTATE_PRINCIPAL_ID: IDENTITIES.observe.objectId };
  test.each([
    [['--principal', 'rotate'], PRINCIPALS, 'for example --principal rotate=00000000'],
    [['--principal', 'rotate=me@contoso.com'], PRINCIPALS, 'an object id is a GUID'],
    [['--principal', `butler=${IDENTITIES.rotate.objectId}`], PRINCIPALS, 'butler is no duty'],
    [['--scope', 'rotate=/keys/orders/1'], PRINCIPALS, 'a scope is /, /keys or /keys/NAME'],
    [['--scope', 'restore=/'], PRINCIPALS, 'nobody has this duty'],
    [['--hsm', 'contoso'], PRINCIPALS, '--hsm is a resource id'],
    [['--arm', 'http://contoso'], PRINCIPALS, '--arm is an https URL'],
    [['--unknown'], PRINCIPALS, 'Usage: npm run setup'],
    [[], {}, 'Nobody has a duty'],
    [[], SAME, 'each needs an identity of its own'],
  ])('%j', async (args, env, refusal) => {
    const { code, text } = await setup(args, env);
    expect({ code, text }).toMatchObject({ code: 2, text: expect.stringContaining(refusal) });
  });
});
