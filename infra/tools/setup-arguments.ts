import { parseArgs } from 'node:util';
import * as z from 'zod';
import { CLOUDS, cloudOf } from '../../shared/cloud.ts';
import { type DutyRole, type DutyWish, scopesOf } from './setup-plan.ts';

export const USAGE = `Usage: npm run setup -- [--hsm RESOURCE-ID] [options]

Puts into a Managed HSM what Azure Resource Manager cannot: the role of each duty and its assignment. Signs in as you
(DefaultAzureCredential): you need to be an administrator of the HSM, and for --backup-identity to be allowed to change the
resource. May be run again at any time; it changes what differs and nothing else.

  --hsm RESOURCE-ID            the HSM as an Azure resource (HSM_RESOURCE_ID)
  --principal DUTY=OBJECT-ID   whose duty it is: observe, rotate, backup, restore, respond, reinstate, maintain-policy;
                               repeated. Left out: DUTY_PRINCIPAL_ID of the environment, as azd sets it, for observe, rotate,
                               backup and respond. The others are granted only when they are named here.
  --scope DUTY=SCOPE           instead of the duty's usual one: /, /keys or /keys/NAME; repeated
  --backup-identity ID         resource id of the identity with which the HSM writes backups (BACKUP_IDENTITY_ID)
  --policy FILE                the policy document as it is or will be in force: what it has on and no identity may do here is
                               told (POLICY_FILE; left out, the built-in rule is looked at, and what it lacks changes no exit code)
  --cloud NAME                 public, usgov or china (MHSM_CLOUD; public). Elsewhere than in the first, sign in there: with
                               az cloud set, or with AZURE_AUTHORITY_HOST of the environment
  --arm URL                    another Azure Resource Manager than the cloud's
  --dry-run                    says what it would do, and does nothing

Exit code: 0 everything is as asked for, 1 something is not, 2 it could not be looked at.`;

export class UsageError extends Error {}

export interface SetupWish {
  resourceId: string;
  arm: { armUrl: string; audience: string };
  backupIdentity?: string;
  dryRun: boolean;
  /** Path of the policy document. */
  policy?: string;
  duties: DutyWish[];
}

/** Duties that a deployment has from the start. A restoring identity is granted for a drill or a recovery only. */
const FROM_ENVIRONMENT = ['observe', 'rotate', 'backup', 'respond'];
const RESOURCE_ID =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.KeyVault\/managedHSMs\/[^/]+$/i;
const SCOPE = /^\/(keys(\/[0-9A-Za-z-]{1,127})?)?$/;

/** Throws UsageError that names the option, its rule and an example. */
export function readSetupArguments(
  args: string[],
  env: Record<string, string | undefined>,
  roles: DutyRole[],
): SetupWish {
  const values = parse(args);
  const resourceId = values.hsm ?? env.HSM_RESOURCE_ID ?? '';
  if (!RESOURCE_ID.test(resourceId)) {
    throw new UsageError(
      `--hsm is a resource id, for example /subscriptions/…/resourceGroups/…/providers/Microsoft.KeyVault/managedHSMs/contoso.\n\n${USAGE}`,
    );
  }
  const name = values.cloud ?? (env.MHSM_CLOUD || 'public');
  const cloud = CLOUDS.find((each) => each === name);
  if (!cloud) throw new UsageError(`--cloud is one of ${CLOUDS.join(', ')}, for example --cloud usgov.`);
  const audience = cloudOf(cloud).armUrl;
  const armUrl = (values.arm ?? audience).replace(/\/+$/, '');
  if (!armUrl.startsWith('https://'))
    throw new UsageError('--arm is an https URL, for example https://management.azure.com.');
  const principals = new Map<string, string>();
  for (const duty of FROM_ENVIRONMENT) {
    const id = env[`${duty.toUpperCase()}_PRINCIPAL_ID`];
    if (id) principals.set(duty, id);
  }
  for (const [duty, id] of pairs(values.principal, '--principal', 'rotate=00000000-0000-0000-0000-000000000002'))
    principals.set(duty, id);
  const scopes = new Map<string, string[]>();
  for (const [duty, scope] of pairs(values.scope, '--scope', 'rotate=/keys/orders')) {
    if (!SCOPE.test(scope)) throw new UsageError(`--scope ${duty}=${scope}: a scope is /, /keys or /keys/NAME.`);
    scopes.set(duty, [...(scopes.get(duty) ?? []), scope]);
  }
  const policy = values.policy ?? (env.POLICY_FILE || undefined);
  const backupIdentity = values['backup-identity'] ?? (env.BACKUP_IDENTITY_ID || undefined);
  return {
    resourceId,
    arm: { armUrl, audience },
    ...(backupIdentity === undefined ? {} : { backupIdentity }),
    ...(policy === undefined ? {} : { policy }),
    dryRun: values['dry-run'],
    duties: dutiesOf(principals, scopes, roles),
  };
}

function dutiesOf(principals: Map<string, string>, scopes: Map<string, string[]>, roles: DutyRole[]): DutyWish[] {
  const known = roles.map(({ duty }) => duty);
  for (const duty of [...principals.keys(), ...scopes.keys()]) {
    if (!known.includes(duty)) throw new UsageError(`${duty} is no duty: one of ${known.join(', ')}.`);
    if (!principals.has(duty))
      throw new UsageError(`--scope ${duty}: nobody has this duty; add --principal ${duty}=….`);
  }
  if (principals.size === 0) throw new UsageError(`Nobody has a duty: give --principal.\n\n${USAGE}`);
  const holders = new Map<string, string>();
  for (const [duty, id] of principals) {
    if (!z.guid().safeParse(id).success)
      throw new UsageError(`--principal ${duty}=${id}: an object id is a GUID, not a client id or a name.`);
    // Rotation policies are maintained by who rotates; every other duty has an identity of its own.
    const holder = duty === 'maintain-policy' ? undefined : holders.get(id.toLowerCase());
    if (holder !== undefined)
      throw new UsageError(`${id} has the duties ${holder} and ${duty}: each needs an identity of its own.`);
    if (duty !== 'maintain-policy') holders.set(id.toLowerCase(), duty);
  }
  return roles.flatMap((role) => {
    const principalId = principals.get(role.duty);
    return principalId ? [{ role, principalId, scopes: scopesOf(role.duty, scopes.get(role.duty)) }] : [];
  });
}

function parse(args: string[]) {
  try {
    const text = { type: 'string' } as const;
    const many = { type: 'string', multiple: true } as const;
    return parseArgs({
      args,
      options: {
        ...{ hsm: text, principal: many, scope: many, 'backup-identity': text, arm: text, cloud: text, policy: text },
        'dry-run': { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
}

function pairs(given: string[] | undefined, option: string, example: string): [string, string][] {
  return (given ?? []).map((text) => {
    const [duty = '', value = ''] = text.split(/=(.*)/);
    if (!duty || !value) throw new UsageError(`${option} ${text}: DUTY=VALUE, for example ${option} ${example}.`);
    return [duty, value];
  });
}
