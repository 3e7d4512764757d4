import type { ErrorReading } from './readings.ts';

/** An answer of the service that is not a success; becomes `{"error":{"code","message"}}` with the activity id appended. */
export class HsmError extends Error {
  override name = 'HsmError';
  status: number;
  code: string;
  innerCode: string | undefined;
  headers: Record<string, string>;

  constructor(
    status: number,
    code: string,
    message: string,
    more: { innerCode?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.innerCode = more.innerCode;
    this.headers = more.headers ?? {};
  }
}

export const badParameter = (message: string) => new HsmError(400, 'BadParameter', message);

export const forbidden = (message: string, innerCode?: string) =>
  new HsmError(403, 'Forbidden', message, innerCode ? { innerCode } : {});

export const conflict = (message: string, innerCode?: string) =>
  new HsmError(409, 'Conflict', message, innerCode ? { innerCode } : {});

/** Source of the text: Azure/azure-cli#32719. */
export const accessDenied = (dataAction: string, scope: string) =>
  new HsmError(403, 'AccessDenied', `Not authorized to access ${dataAction} on ${scope}`);

/** Source of the text: Azure/azure-sdk-for-net, KeysTestBase and BackupRestoreTestBase. */
export const restoreInProgress = () => conflict('User triggered Restore operation is in progress');

/** The text is that of a vault; an HSM's is not published. https://learn.microsoft.com/troubleshoot/azure/key-vault/firewall-configuration-issues */
export const publicNetworkClosed = () =>
  forbidden(
    'Public network access is disabled and request is not from a trusted service nor via an approved private link.',
    'ForbiddenByConnection',
  );

export const notImplemented = (what: string) =>
  new HsmError(501, 'NotImplemented', `${what} is not part of the embedded estate.`);

/** An error that a reading decides; `{name}` in its message is replaced. */
export const fromReading = (reading: ErrorReading, values: Record<string, string> = {}) =>
  new HsmError(
    reading.status,
    reading.code,
    reading.message.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole),
  );
