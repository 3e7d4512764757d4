import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { parseBody } from '../bodies.ts';
import type { Call, Reply, Route } from '../routes/route.ts';
import { atHsm, atKey } from '../routes/route.ts';
import { checkName } from '../validation.ts';
import {
  acceptedBody,
  belongsTo,
  JOB_EFFECTS,
  type Job,
  type JobEffect,
  type JobKind,
  polledBody,
  statusPath,
} from './job.ts';
import { sasFault } from './sas.ts';
import type { FullBackups, JobRequest } from './service.ts';

const text = z.string().nullish();
const location = z.object({ storageResourceUri: z.string(), token: text, useManagedIdentity: z.boolean().nullish() });
/** Every member of a pre-check is optional. */
const loose = location.partial();
const prerestoreBody = z.object({ sasTokenParameters: loose.nullish(), folderToRestore: text });
const restoreBody = z.object({ sasTokenParameters: location, folderToRestore: z.string() });
const selectiveBody = z.object({ sasTokenParameters: location, folder: z.string() });

/** Recorded on every answer of the backup service, errors included. */
const serviceHeaders = () => ({
  'api-supported-versions': '20180927, 20211111',
  'mise-correlation-id': randomUUID(),
  Server: 'Kestrel',
});

/** Full backup and restore, as recorded. Operation names beyond `BackupCreate` are not public, so the others are ours. */
export function backupRoutes(backups: FullBackups, hsm: { url(): string; region: string; now(): Date }): Route[] {
  const accepted = (job: Job): Reply => ({
    status: 202,
    body: acceptedBody(job),
    headers: {
      ...serviceHeaders(),
      'azure-asyncoperation': `${hsm.url()}${statusPath(job)}`,
      'Retry-After': '10',
    },
  });
  const refused = (call: Call, status: number, error: Record<string, unknown>): Reply => ({
    status,
    body: { error },
    headers: {
      ...serviceHeaders(),
      // Recorded: errors of the backup service keep the headers that other errors lack.
      'x-ms-keyvault-network-info': `conn_type=Ipv4;addr=${call.request.remoteAddress.replace(/^::ffff:/, '')};act_addr_fam=Ipv4;`,
      'x-ms-keyvault-region': hsm.region,
    },
  });

  /** Starts a job, unless one runs or the service would refuse at once. */
  const start = (call: Call, kind: JobKind, given: z.infer<typeof loose>, more: Partial<JobRequest> = {}): Reply => {
    if (backups.jobs.running || backups.isBusy()) {
      const family = backups.jobs.running?.kind.endsWith('estore') ? 'restore' : 'backup';
      // Source of the text: Azure/azure-cli#33783. It is known for a backup alone.
      const message = `Another ${family} operation is in progress`;
      return refused(call, 409, { code: 'Conflict', message, innererror: null });
    }
    const sas = given.useManagedIdentity === true ? undefined : (given.token ?? '');
    const atOnce = kind === 'prebackup' || kind === 'prerestore' ? undefined : refusalAtOnce(kind, sas);
    if (atOnce !== undefined) {
      const error =
        kind === 'backup'
          ? { code: 'BadRequest', message: atOnce, innererror: null }
          : { code: 'BadRequest', innererror: null, message: atOnce };
      return refused(call, 400, error);
    }
    const effect = JOB_EFFECTS.find((one): one is JobEffect => one === call.effect);
    const container = (given.storageResourceUri ?? '').replace(/\/$/, '');
    return accepted(
      backups.start(kind, { container, ...(sas === undefined ? {} : { sas }), ...(effect ? { effect } : {}), ...more }),
    );
  };

  /** Recorded: backup and restore look at the SAS token first; the pre-checks take any and fail later. */
  const refusalAtOnce = (kind: JobKind, sas: string | undefined): string | undefined => {
    const fault = sas === undefined ? undefined : sasFault(sas, backups.readings, hsm.now());
    if (fault !== undefined || kind !== 'restore' || backups.readings.thirtyMinuteRefusal !== 'atOnce') return fault;
    return backups.restoreRefusal()?.message;
  };

  const poll =
    (family: 'backup' | 'restore') =>
    async (call: Call): Promise<Reply> => {
      const { jobId = '' } = call.params;
      const job = backups.jobs.find(jobId);
      if (!job || !belongsTo(job, family)) {
        const message = `Job id not found: ${jobId}`;
        return refused(call, 404, { code: 'NotFound', innererror: null, message });
      }
      await backups.jobs.settle(job);
      return { status: 200, body: polledBody(job), headers: serviceHeaders() };
    };

  const backup = { dataAction: 'backup/start/action', scope: atHsm } as const;
  const restore = { dataAction: 'restore/start/action', scope: atHsm } as const;
  return [
    {
      ...{ method: 'POST', path: '/prebackup', operation: 'BackupPrecheck', ...backup },
      handle: (call) => start(call, 'prebackup', parseBody(loose, call.body())),
    },
    {
      ...{ method: 'POST', path: '/backup', operation: 'BackupCreate', ...backup },
      handle: (call) => start(call, 'backup', parseBody(location, call.body())),
    },
    {
      ...{ method: 'GET', path: '/backup/:jobId/pending', operation: 'BackupStatusGet', withoutApiVersion: true },
      ...{ dataAction: 'backup/status/action', scope: atHsm },
      handle: poll('backup'),
    },
    {
      ...{ method: 'PUT', path: '/prerestore', operation: 'RestorePrecheck', ...restore },
      handle(call) {
        const { sasTokenParameters, folderToRestore } = parseBody(prerestoreBody, call.body());
        return start(call, 'prerestore', sasTokenParameters ?? {}, { folder: folderToRestore ?? '' });
      },
    },
    {
      ...{ method: 'PUT', path: '/restore', operation: 'RestoreCreate', ...restore },
      handle(call) {
        const { sasTokenParameters, folderToRestore } = parseBody(restoreBody, call.body());
        return start(call, 'restore', sasTokenParameters, { folder: folderToRestore });
      },
    },
    {
      ...{ method: 'PUT', path: '/keys/:name/restore', operation: 'KeySelectiveRestore' },
      ...{ dataAction: 'keys/restore/action', scope: atKey },
      handle(call) {
        const { sasTokenParameters, folder } = parseBody(selectiveBody, call.body());
        return start(call, 'selectiveRestore', sasTokenParameters, { folder, key: checkName(call.params.name ?? '') });
      },
    },
    {
      ...{ method: 'GET', path: '/restore/:jobId/pending', operation: 'RestoreStatusGet', withoutApiVersion: true },
      ...{ dataAction: 'restore/status/action', scope: atHsm, duringRestore: true },
      handle: poll('restore'),
    },
  ];
}
