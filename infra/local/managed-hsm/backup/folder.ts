import type { BackupReadings } from './readings.ts';

/** `mhsm-{hsm}-{UTC stamp of the request}`. */
export function folderName(hsm: string, at: Date, stamp: BackupReadings['folderStamp']): string {
  const digits = at.toISOString().replace(/\D/g, '');
  return `mhsm-${hsm}-${digits.slice(0, stamp === 'recorded' ? 16 : 14)}`;
}
