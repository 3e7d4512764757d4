import type { BackupReadings } from './readings.ts';

const DAY_MS = 86_400_000;

/** Why a SAS cannot serve. The first text is recorded, the lifetime a comment of the REST description, the rest ours. */
export function sasFault(sas: string, readings: BackupReadings, now: Date): string | undefined {
  const expiry = new URLSearchParams(sas.replace(/^\?/, '')).get('se');
  if (expiry === null) {
    return 'The customer provided SAS token is malformed. The SAS token does not contain the expiry field';
  }
  if (readings.sasTokens === 'refuse') return 'SAS tokens are not accepted. Use a user-assigned managed identity.';
  const left = Date.parse(expiry) - now.getTime();
  return left >= DAY_MS ? undefined : 'The SAS token must stay valid for at least 24 hours.';
}
