import { AppError } from '../../errors.ts';
import type { DomainProgress, SecurityDomain } from '../../ports/security-domain.ts';
import { isUnknownOutcome } from './classify-failure.ts';
import type { Identity } from './credentials.ts';
import { clientOptions, type HsmAddress, REPEATING } from './hsm-client.ts';
import { connectHsms, loadAdminClient } from './hsm-connections.ts';

/** The official administration package has no client for the security domain, so its routes are called by themselves. */
const DOWNLOAD = '/securitydomain/download';
const UPLOAD = '/securitydomain/upload';

/** Security domains of the given HSMs, acting as one identity. */
export function createSecurityDomain(options: {
  hsms: HsmAddress[];
  identity: Identity;
  requestMs?: number;
}): SecurityDomain {
  const { open, failed, ask } = connectHsms(options, async (uri, credential) => {
    const admin = await loadAdminClient();
    return { admin, transport: admin.createTransport(uri, credential, clientOptions(REPEATING, options.requestMs)) };
  });

  const actOnce = async (hsm: string, act: string, path: string, body: unknown): Promise<unknown> => {
    const { admin, transport } = await open(hsm);
    try {
      return (await transport.sendOnce({ method: 'POST', path, body, rehearsal: `${path}/pending` })).parsedBody;
    } catch (error) {
      if (admin.wasKeptBack(error) || !isUnknownOutcome(error)) throw failed(error, act, hsm);
      throw unknownOutcome(act, error);
    }
  };
  const progress = (hsm: string, act: string, path: string): Promise<DomainProgress> =>
    ask(hsm, act, async ({ transport }) => toProgress((await transport.send({ method: 'GET', path })).parsedBody));

  return {
    async download(hsm, { certificates, required }) {
      const act = `download the security domain of ${hsm}`;
      const body = (await actOnce(hsm, act, DOWNLOAD, { certificates, required })) as { value?: string } | undefined;
      if (body?.value) return { blob: body.value };
      throw unknownOutcome(act, new Error('The answer held no security domain.'));
    },
    readDownload: (hsm) => progress(hsm, `read the download of the security domain of ${hsm}`, `${DOWNLOAD}/pending`),
    transferKey: (hsm) =>
      ask(hsm, `read the transfer key of ${hsm}`, async ({ transport }) => {
        const { parsedBody } = await transport.send({ method: 'GET', path: UPLOAD });
        const { key_format: format = '', transfer_key: key } = parsedBody as {
          key_format?: string;
          transfer_key?: unknown;
        };
        return { format, key: typeof key === 'string' ? key : JSON.stringify(key) };
      }),
    async upload(hsm, blob) {
      await actOnce(hsm, `upload the security domain to ${hsm}`, UPLOAD, { value: blob });
    },
    readUpload: (hsm) => progress(hsm, `read the upload of the security domain to ${hsm}`, `${UPLOAD}/pending`),
  };
}

/** The words differ from those of backup jobs: `Success`, not `Succeeded`. Source: REST description of the security domain. */
function toProgress(body: unknown): DomainProgress {
  const { status = '', status_details: details } = (body ?? {}) as { status?: string; status_details?: string | null };
  const kind = /^success/i.test(status) ? 'succeeded' : /^fail/i.test(status) ? 'failed' : 'running';
  return { kind, ...(details ? { details } : {}) };
}

const unknownOutcome = (act: string, cause: unknown) =>
  new AppError('ERR_UNKNOWN_OUTCOME', `The reply was lost when trying to ${act}: it may have happened.`, {
    nextStep: 'Read how far it has come before trying again.',
    cause,
  });
