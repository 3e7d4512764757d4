import type { BackupJob } from '../../backup/backup.ts';
import { AppError } from '../../errors.ts';
import { keyLabel } from '../../keys/key.ts';
import type { HsmBackups, JobFamily, JobReading, JobRefusal, JobStart } from '../../ports/hsm-backups.ts';
import { redactText } from '../../redact.ts';
import { isUnknownOutcome } from './classify-failure.ts';
import type { Identity } from './credentials.ts';
import { clientOptions, type HsmAddress, REPEATING } from './hsm-client.ts';
import { connectHsms, loadAdminClient } from './hsm-connections.ts';
import type {
  KeyVaultAdminPollOperationState,
  KeyVaultBackupClient,
  KeyVaultBackupPollerOptions,
  KeyVaultBackupResult,
  PollerLike,
} from './keyvault-admin/index.ts';
import { causeOf, REFUSAL_WORDS, type RefusalWords } from './refusal-words.ts';

type State = KeyVaultAdminPollOperationState<KeyVaultBackupResult>;
type Begin = (
  client: KeyVaultBackupClient,
  options: KeyVaultBackupPollerOptions,
) => Promise<PollerLike<State, unknown>>;

/** Answers that mean: not done, and asking again is no use without a change. */
const REFUSING_STATUS = new Set([400, 404, 405, 409, 412, 422]);

/** Backup and restore of the given HSMs, acting as one identity. `words`: by which a refusal is recognised. */
export function createHsmBackups(options: {
  hsms: HsmAddress[];
  identity: Identity;
  words?: RefusalWords;
  requestMs?: number;
}): HsmBackups {
  const { words = REFUSAL_WORDS, requestMs } = options;
  const { open, failed } = connectHsms(options, async (uri, credential) => {
    const admin = await loadAdminClient();
    const client = new admin.KeyVaultBackupClient(uri, credential, clientOptions(REPEATING, requestMs));
    return { client, admin };
  });

  const start = async (hsm: string, act: string, begin: Begin): Promise<JobStart> => {
    const { client, admin } = await open(hsm);
    const heard = listener();
    try {
      const poller = await begin(client, { onResponse: heard.onResponse });
      const { jobId = '', error } = poller.getOperationState();
      return error ? { ...refusalOf(error, words), jobId } : { kind: 'started', jobId, ...heard.wait() };
    } catch (error) {
      const status = statusOf(error);
      if (admin.wasKeptBack(error)) throw failed(error, act, hsm);
      if (isUnknownOutcome(error)) return { kind: 'unknown', reason: reasonOf(error) };
      if (status === 401) throw tokenRefused(act, error);
      if (status !== undefined && REFUSING_STATUS.has(status)) return refusalOf(error, words);
      throw failed(error, act, hsm);
    }
  };

  return {
    preCheckBackup: (hsm, containerUrl) =>
      start(hsm, `check a backup of ${hsm}`, (client, call) => client.beginPreBackup(containerUrl, call)),
    startBackup: (hsm, containerUrl) =>
      start(hsm, `back up ${hsm}`, (client, call) => client.beginBackup(containerUrl, call)),
    preCheckRestore: (hsm, folderUrl) =>
      start(hsm, `check a restore of ${hsm}`, (client, call) => client.beginPreRestore(folderUrl, call)),
    startRestore: (hsm, folderUrl) =>
      start(hsm, `restore ${hsm}`, (client, call) => client.beginRestore(folderUrl, call)),
    startKeyRestore: (key, folderUrl) =>
      start(key.hsm, `restore the key ${keyLabel(key)}`, (client, call) =>
        client.beginSelectiveKeyRestore(key.name, folderUrl, call),
      ),
    async readJob(hsm, family, jobId) {
      const { client, admin } = await open(hsm);
      const heard = listener();
      const call = { resumeFrom: admin.serializedJob(jobId), onResponse: heard.onResponse };
      const poller = await resume(client, family, call);
      await poller.poll().catch((error: unknown) => {
        if (!poller.isDone() && statusOf(error) !== 404) throw failed(error, `read the job ${jobId} of ${hsm}`, hsm);
      });
      return readingOf(jobId, poller.getOperationState(), heard, words);
    },
  };
}

/** Nothing is sent for a job that is resumed; the address only has to be one. */
const resume = (client: KeyVaultBackupClient, family: JobFamily, call: KeyVaultBackupPollerOptions) =>
  (family === 'backup'
    ? client.beginBackup(client.vaultUrl, call)
    : client.beginRestore(client.vaultUrl, call)) as Promise<PollerLike<State, unknown>>;

function readingOf(jobId: string, state: State, heard: ReturnType<typeof listener>, words: RefusalWords): JobReading {
  if (heard.status() === 404) return { kind: 'notFound' };
  const job = jobOf(jobId, state);
  if (!state.error) return state.isCompleted ? { kind: 'succeeded', job } : { kind: 'running', job, ...heard.wait() };
  const { kind: cause, reason } = refusalOf(state.error, words);
  return { kind: 'failed', job, cause, reason };
}

const STATUS_NAMES = { running: 'InProgress', succeeded: 'Succeeded', failed: 'Failed', canceled: 'Canceled' } as const;

function jobOf(jobId: string, state: State): BackupJob {
  const { status, statusDetails, startTime, endTime, error, result } = state;
  return {
    jobId,
    status: STATUS_NAMES[status],
    ...(statusDetails === undefined ? {} : { statusDetails }),
    ...(error ? { error: { code: codeOf(error), message: reasonOf(error) } } : {}),
    startedOn: (startTime ?? new Date(0)).toISOString(),
    ...(endTime ? { endedOn: endTime.toISOString() } : {}),
    ...(result?.folderUri === undefined ? {} : { folderUri: result.folderUri }),
  };
}

function refusalOf(error: unknown, words: RefusalWords): JobRefusal {
  const reason = reasonOf(error);
  return { kind: causeOf(reason, words), code: codeOf(error), reason };
}

/** Listens to the answers of one act: the newest status and Retry-After. */
function listener() {
  let retryAfter: string | undefined;
  let status: number | undefined;
  return {
    onResponse(response: { status: number; headers: { get(name: string): string | undefined } }) {
      status = response.status;
      retryAfter = response.headers.get('retry-after');
    },
    status: () => status,
    /** In seconds on the wire; a date has not been seen, and is left to the caller's own floor. */
    wait: () => (/^\d+$/.test(retryAfter ?? '') ? { retryAfterMs: Number(retryAfter) * 1000 } : {}),
  };
}

const statusOf = (error: unknown): number | undefined =>
  error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

const reasonOf = (error: unknown): string => redactText(error instanceof Error ? error.message : String(error));

const tokenRefused = (act: string, cause: unknown) =>
  new AppError('ERR_TRANSIENT', `The HSM did not take the token when asked to ${act}; nothing was started.`, {
    nextStep: 'Nothing to do: it is tried again with a new token.',
    cause,
  });
