import { readFile } from 'node:fs/promises';
import { isSignInFailure } from '../../shared/adapters/azure/classify-failure.ts';
import type { Identity } from '../../shared/adapters/azure/credentials.ts';
import { createHsmAccess } from '../../shared/adapters/azure/hsm-access.ts';
import { clientOptions, REPEATING } from '../../shared/adapters/azure/hsm-client.ts';
import { createHsmConfiguration } from '../../shared/adapters/azure/hsm-configuration.ts';
import { connectHsms, loadAdminClient } from '../../shared/adapters/azure/hsm-connections.ts';
import { createHsmResources } from '../../shared/adapters/azure/hsm-resources.ts';
import { AppError, hasCode } from '../../shared/errors.ts';
import type { PolicyDocument } from '../../shared/policy/document.ts';
import { parsePolicy } from '../../shared/policy/schema.ts';
import type { HsmResource } from '../../shared/ports/hsm-resources.ts';
import { readSetupArguments, type SetupWish, UsageError } from './setup-arguments.ts';
import { featuresOn, findUnpermitted, type Unpermitted } from './setup-features.ts';
import { type DutyRole, type Excess, findExcess, planSetup, type SetupStep } from './setup-plan.ts';

export interface Output {
  log(text: string): void;
  error(text: string): void;
}

/** Brings one HSM to what is asked for, and says whether it is. Resolves with the exit code. */
export async function runSetup(
  args: string[],
  env: Record<string, string | undefined>,
  output: Output,
): Promise<0 | 1 | 2> {
  try {
    const roles = JSON.parse(await readFile('infra/azure/hsm-roles.json', 'utf8')) as DutyRole[];
    const wish = readSetupArguments(args, env, roles);
    return await setUp(wish, { policy: await readPolicyFile(wish.policy), roles }, output);
  } catch (error) {
    output.error(explain(error));
    return 2;
  }
}

/** Whoever runs the command. The adapters name it in their messages. */
const PERSON: Identity = {
  duty: 'observe',
  clientId: 'the account you are signed in with',
  async credential() {
    const { DefaultAzureCredential } = await import('@azure/identity');
    return new DefaultAzureCredential();
  },
};

/** Throws UsageError with every fault of the document. */
async function readPolicyFile(path: string | undefined): Promise<PolicyDocument | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(path, 'utf8').catch(() => {
    throw new UsageError(`--policy ${path}: there is no such file, for example --policy policy/policy.json.`);
  });
  const parsed = parsePolicy(text);
  if (parsed.kind === 'valid') return parsed.policy;
  const faults = parsed.faults.map(
    ({ path: at, rule, example }) => `  ${at || 'document'}: ${rule}. For example: ${example}`,
  );
  throw new UsageError(`--policy ${path} has ${faults.length} fault(s):\n${faults.join('\n')}`);
}

async function setUp(
  wish: SetupWish,
  { policy, roles }: { policy: PolicyDocument | undefined; roles: DutyRole[] },
  output: Output,
): Promise<0 | 1> {
  const resources = createHsmResources({ ...wish.arm, identity: PERSON });
  const resource = await resources.read(wish.resourceId);
  if (!resource) throw new UsageError(`There is no HSM ${wish.resourceId}, or you may not read it.`);
  const { name, uri } = resource;
  if (resource.activation !== 'Active' || uri === undefined) {
    output.error(`${name} is not activated (${resource.activation}): nothing else can be done before.`);
    output.error('Hold the key ceremony: infra/azure/README.md, "Activate an HSM". Then run this command again.');
    return 1;
  }
  output.log(`${name} is activated.`);
  const pending = await attachIdentity(wish, resource, resources, output);

  const hsm = openHsm(name, uri);
  const scopes = wish.duties.flatMap((duty) => duty.scopes);
  const before = await hsm.look(scopes);
  const steps = planSetup(wish.duties, { hsm: wish.resourceId, ...before });
  const report = async (found: typeof before): Promise<boolean> => {
    const features = featuresOn(policy, name);
    // A second role of the identity that something needs is none too many, named this time or not.
    const second = roles.filter(({ duty }) => features.some((one) => one.role === duty && one.duty !== duty));
    const excess = findExcess(wish.duties, found).filter(
      ({ assignment }) => !second.some((role) => role.name.toLowerCase() === assignment.roleDefinitionId),
    );
    const clean = tell(excess, wish, name, output);
    const permitted = tellUnpermitted(findUnpermitted(features, wish.duties, found), wish, output);
    tellArmTrust(await hsm.armTrust(), name, output);
    return clean && (permitted || policy === undefined);
  };
  if (wish.dryRun) {
    for (const step of steps) output.log(`Would ${describe(step)}.`);
    return (await report(before)) && steps.length === 0 && !pending ? 0 : 1;
  }
  for (const step of steps) {
    if (step.kind === 'define') await hsm.define(step.role);
    else await hsm.assign(step.assignment);
    output.log(`Done: ${describe(step)}.`);
  }
  // What counts is what the HSM says afterwards, not what was sent.
  const after = steps.length === 0 ? before : await hsm.look(scopes);
  const missing = planSetup(wish.duties, { hsm: wish.resourceId, ...after });
  for (const step of missing) output.error(`Still missing: ${describe(step)}.`);
  if (steps.length === 0) output.log('Nothing to change.');
  return (await report(after)) && missing.length === 0 ? 0 : 1;
}

/** Attaches the backup identity beside those that are there. True when that remains to be done. */
async function attachIdentity(
  { backupIdentity, dryRun, resourceId }: SetupWish,
  { name, identities }: HsmResource,
  resources: ReturnType<typeof createHsmResources>,
  output: Output,
): Promise<boolean> {
  if (backupIdentity === undefined) return false;
  if (identities.some((one) => one.toLowerCase() === backupIdentity.toLowerCase())) {
    output.log(`${name} has the backup identity.`);
    return false;
  }
  if (dryRun) {
    output.log(`Would attach the backup identity to ${name}.`);
    return true;
  }
  await resources.attachIdentities(resourceId, [...identities, backupIdentity]);
  output.log(`Done: attach the backup identity to ${name}.`);
  return false;
}

function openHsm(name: string, uri: string) {
  const options = { hsms: [{ name, uri }], identity: PERSON };
  const access = createHsmAccess(options);
  const configuration = createHsmConfiguration(options);
  const { ask } = connectHsms(options, async (address, credential) => {
    const { KeyVaultAccessControlClient } = await loadAdminClient();
    return new KeyVaultAccessControlClient(address, credential, clientOptions(REPEATING));
  });
  return {
    async look(scopes: string[]) {
      const keys = new Set(scopes.flatMap((scope) => scope.split('/keys/').slice(1)));
      const [definitions, assignments] = await Promise.all([
        access.roleDefinitions(name),
        access.inventory(name, keys),
      ]);
      return { definitions, assignments };
    },
    /** Undefined where the HSM does not let us read it. */
    armTrust: () =>
      configuration.settings(name).then(
        (settings) => settings[ARM_TRUST],
        (error: unknown) => {
          if (hasCode(error, 'ERR_DENIED')) return undefined;
          throw error;
        },
      ),
    define: ({ name: roleDefinitionName, roleName, description, permissions }: DutyRole) =>
      ask(name, `define the role ${roleName} on ${name}`, async (client) => {
        await client.setRoleDefinition('/', {
          ...{ roleDefinitionName, roleName, description, permissions },
          assignableScopes: ['/'],
        });
      }),
    assign: (assignment: Parameters<typeof access.assign>[1]) => access.assign(name, assignment),
  };
}

const describe = (step: SetupStep): string =>
  step.kind === 'define'
    ? `define the role "${step.role.roleName}" (${step.why})`
    : `assign the role of ${step.duty} to ${step.assignment.principalId} at ${step.assignment.scope}`;

/** Says of each duty whether its identity has that and no more. True when none has more. */
function tell(excess: Excess[], { duties }: SetupWish, hsm: string, output: Output): boolean {
  for (const { role, principalId, scopes } of duties) {
    const more = excess.some(({ assignment }) => assignment.principalId.toLowerCase() === principalId.toLowerCase());
    if (!more) output.log(`${role.duty}: no role but its own, at ${scopes.join(' and ')}.`);
  }
  for (const { duty, assignment, roleName, beyond } of excess) {
    output.error(
      `${duty}: its identity also holds "${roleName}" at ${assignment.scope}${beyond.length > 0 ? `, which allows ${beyond.join(', ')}` : ''}.`,
    );
    output.error(
      `  Take it away unless it is meant: az keyvault role assignment delete --hsm-name ${hsm} --role ${assignment.roleDefinitionId} --assignee-object-id ${assignment.principalId} --scope ${assignment.scope}`,
    );
  }
  return excess.length === 0;
}

/** Says what the policy has on and nobody may do here. True when there is nothing of that. */
function tellUnpermitted(found: Unpermitted[], { resourceId, policy }: SetupWish, output: Output): boolean {
  const [first] = found;
  if (!first) return true;
  output.error(
    policy === undefined
      ? 'On by the built-in rule, and not permitted (give --policy to look at yours):'
      : `On in ${policy}, and not permitted:`,
  );
  for (const { feature, principalId, lacks } of found) {
    const who =
      principalId === undefined ? `nobody has the duty ${feature.duty}` : `${feature.duty} lacks ${lacks.join(', ')}`;
    output.error(`  ${feature.feature} (${feature.from}): ${who} at ${feature.scope}.`);
    output.error(
      `    Grant it with: npm run setup -- --hsm ${resourceId} --principal ${feature.role}=${principalId ?? 'OBJECT-ID'}, or ${feature.otherwise}.`,
    );
  }
  return false;
}

/** https://learn.microsoft.com/azure/key-vault/managed-hsm/authorize-azure-resource-manager */
const ARM_TRUST = 'AllowKeyManagementOperationsThroughARM';

/** Warns only: who wants keys made by Resource Manager has it on, and nobody turns it off behind their back. */
function tellArmTrust(value: string | undefined, hsm: string, output: Output): void {
  if (value === undefined) {
    output.error(`Not known: whether ${hsm} trusts Azure Resource Manager with keys (${ARM_TRUST}).`);
  } else if (value !== 'true') {
    output.log(`${hsm} does not trust Azure Resource Manager with keys.`);
  } else {
    output.error(
      `Warning: ${ARM_TRUST} is on, so whoever may write the HSM as an Azure resource makes and reads keys past its local roles.`,
    );
    output.error(
      `  Turn it off unless it is meant: az keyvault setting update --hsm-name ${hsm} --name ${ARM_TRUST} --value false`,
    );
  }
}

function explain(error: unknown): string {
  // The adapters speak of identities of the app; here it is a person who has not signed in.
  if (error instanceof AppError && isSignInFailure(error.cause))
    return 'You are not signed in, so nothing was looked at.\nRun az login, in another cloud az cloud set before it, and this command again.';
  if (error instanceof AppError) return `${error.message}\n${error.nextStep}`;
  if (error instanceof UsageError) return error.message;
  return error instanceof Error ? error.message : String(error);
}
