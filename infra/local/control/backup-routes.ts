import * as z from 'zod';
import type { EstateServices } from '../estate-services.ts';
import { IDENTITIES, type IdentityName } from '../identity/registrations.ts';
import type { BackupReadings } from '../managed-hsm/backup/readings.ts';
import { ACCOUNT_NAMES, type AccountName } from '../storage/accounts.ts';
import { DATA_ROLES } from '../storage/roles.ts';
import { namedHsm } from './named-hsm.ts';
import { Problem, parseBody } from './problem.ts';
import type { Route } from './routes.ts';

const identity = z.enum(Object.keys(IDENTITIES) as [IdentityName, ...IdentityName[]], {
  error: `is one of ${Object.keys(IDENTITIES).join(', ')}`,
});
const identitiesInput = z.strictObject({ attach: identity.optional(), detach: identity.optional() });
const roleInput = z.strictObject({
  identity,
  role: z.enum(DATA_ROLES, { error: `is one of ${DATA_ROLES.join(', ')}` }),
});
const containerInput = z.strictObject({
  retentionDays: z.number().int().min(1).max(146_000).optional(),
  legalHold: z.boolean().optional(),
  versionLevel: z.boolean().optional(),
});
const endInput = z.strictObject({
  message: z.string().default('The operation was ended through the control surface.'),
});

const seconds = z.number().min(0);
const count = z.number().int().min(0);
const readingsInput = z
  .strictObject({
    folderStamp: z.enum(['recorded', 'documented']),
    sasTokens: z.enum(['refuse', 'accept']),
    thirtyMinuteRule: z.enum(['none', 'within30', 'atLeast30']),
    thirtyMinuteRefusal: z.enum(['atOnce', 'failedJob']),
    selectiveRestoreBlocks: z.boolean(),
    backupSeconds: seconds,
    restoreSeconds: seconds,
    selectiveRestoreSeconds: seconds,
    precheckSeconds: seconds,
    keysPerBlob: count.min(1),
    partitionBlobs: count,
    partitionBytes: count,
  } satisfies Record<keyof BackupReadings, z.ZodType>)
  .partial();

/** Full backups: jobs, identities, readings, and the storage roles that they depend on. */
export function backupRoutes({ hsms, storage }: EstateServices): Route[] {
  const shown = (name: string | undefined) => {
    const { backups } = namedHsm(hsms, name);
    const { jobs, identities, completed, readings } = backups;
    return { jobs: jobs.all(), completed, identities: [...identities], readings };
  };
  const account = (name: string | undefined) => {
    const found = ACCOUNT_NAMES.find((one): one is AccountName => one === name);
    if (!found) throw new Problem(404, 'ERR_NOT_FOUND', `The accounts are ${ACCOUNT_NAMES.join(', ')}.`);
    return storage.accounts[found];
  };
  return [
    {
      method: 'GET',
      path: '/hsms/{name}/jobs',
      purpose: 'Backup and restore jobs, completed backups, attached identities and readings.',
      act: ({ params }) => shown(params.name),
    },
    {
      method: 'POST',
      path: '/hsms/{name}/jobs/end',
      purpose: 'Fails the running job, for example one that a fault holds stuck.',
      example: { message: 'Ended by hand.' },
      act({ params, body }) {
        const { message } = parseBody(endInput, body());
        if (namedHsm(hsms, params.name).backups.endRunning(message)) return shown(params.name);
        throw new Problem(409, 'ERR_NO_JOB', 'No job is running.');
      },
    },
    {
      method: 'POST',
      path: '/hsms/{name}/identities',
      purpose: 'Attaches a user-assigned identity to the HSM, or detaches it.',
      example: { detach: 'backup' },
      act({ params, body }) {
        const { attach, detach } = parseBody(identitiesInput, body());
        const { identities } = namedHsm(hsms, params.name).backups;
        if (attach) identities.add(attach);
        if (detach) identities.delete(detach);
        return shown(params.name);
      },
    },
    {
      method: 'POST',
      path: '/hsms/{name}/readings',
      purpose:
        'Changes how open questions about backup and restore are read; managed-hsm/backup/readings.ts has them all.',
      example: { thirtyMinuteRule: 'within30' },
      act({ params, body }) {
        Object.assign(namedHsm(hsms, params.name).backups.readings, parseBody(readingsInput, body()));
        return shown(params.name);
      },
    },
    {
      method: 'POST',
      path: '/storage/{account}/roles',
      purpose:
        'Gives an identity another data role in a storage account; all are Contributor at first, but of the journal, which only `record` writes.',
      example: { identity: 'backup', role: 'none' },
      act({ params, body }) {
        const { identity: named, role } = parseBody(roleInput, body());
        account(params.account).roles.set(IDENTITIES[named].objectId, role);
      },
    },
    {
      method: 'POST',
      path: '/storage/{account}/containers/{container}',
      purpose:
        'Sets the immutability of a container: retention from the creation of each blob, a hold, policies by blob.',
      example: { retentionDays: 30 },
      act({ params: { account: name, container = '' }, body }) {
        const { immutability } = account(name);
        const { retentionDays, legalHold, versionLevel } = parseBody(containerInput, body());
        immutability.setContainer(container, {
          ...(retentionDays === undefined ? {} : { retentionDays }),
          ...(legalHold === undefined ? {} : { legalHold }),
          ...(versionLevel === undefined ? {} : { versionLevel }),
        });
        return immutability.container(container);
      },
    },
  ];
}
