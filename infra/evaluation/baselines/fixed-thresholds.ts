import { DAY, HOUR, MINUTE } from '../../traffic/calendar.ts';
import type { Strand, TrafficCall } from '../../traffic/call.ts';
import type { Site } from '../../traffic/site.ts';
import type { Alert } from '../alert.ts';
import { isAnnounced } from './announced.ts';

/** Sentinel's number: https://github.com/Azure/Azure-Sentinel, Solutions/Azure Key Vault, KeyvaultMassSecretRetrieval */
const A_DAY = 25;
const COUNTED = new Set(['KeyGet', 'KeyWrap', 'KeyUnwrap', 'KeyEncrypt', 'KeyDecrypt', 'KeySign']);
/**
 * Sentinel's list (KeyVaultSensitiveOperations), with the names added that Microsoft documents for a Managed HSM and
 * recommends an alert on: https://learn.microsoft.com/azure/key-vault/managed-hsm/security-domain and …/general/backup
 */
const SENSITIVE = new Set([
  ...['KeyDelete', 'KeyPurge', 'KeyBackup', 'KeyRestore', 'KeyRelease'],
  ...['SecurityDomainBackup', 'SecurityDomainBackupStatusGet', 'BackupCreate'],
]);
/** A near-real-time rule runs each minute, two minutes late. */
const NEAR_REAL_TIME = 3 * MINUTE;

/**
 * More than 25 of one operation by one caller in a day, every success of a sensitive operation, and every call of an emergency
 * account, whose use Microsoft says to alert on:
 * https://learn.microsoft.com/entra/identity/role-based-access-control/security-emergency-access
 * Told: what our journal announced, the application that Azure Policy scans with, and the emergency account.
 */
export function fixedThresholds(site: Site, strand: Strand): Alert[] {
  const known = new Set([site.policyScan.caller.oid, ...Object.values(site.own).map(({ caller }) => caller.oid)]);
  const days = new Map<string, { call: TrafficCall; day: number; count: number }>();
  const alerts: Alert[] = [];
  for (const call of strand.calls) {
    if (call.arrived > site.to || call.at < site.judged - DAY || call.status >= 300) continue;
    const { operation, caller, key } = call;
    const day = Math.floor(call.at / DAY);
    // It runs once a day, over what is there by then.
    if (COUNTED.has(operation) && !known.has(caller.oid) && call.arrived <= runOf(day)) {
      const name = `count ${operation} ${caller.oid} ${day}`;
      const entry = days.get(name) ?? { call, day, count: 0 };
      entry.count += call.count + call.repeated;
      days.set(name, entry);
    }
    const emergency = caller.oid === site.breakGlass.caller.oid;
    const sensitive = SENSITIVE.has(operation) && !isAnnounced(strand.intents, call);
    if ((emergency || sensitive) && call.at >= site.judged) {
      const hour = Math.floor(call.at / HOUR);
      const who = { callers: [caller.oid, caller.upn], keys: key === '' ? [] : [key] };
      const at = call.arrived + NEAR_REAL_TIME;
      const id = emergency ? `emergency ${caller.oid} ${hour}` : `sensitive ${operation} ${caller.oid} ${key} ${hour}`;
      alerts.push({
        id,
        detector: emergency ? 'emergency account' : 'sensitive operations',
        at,
        severity: 'Medium',
        score: 40,
        ...who,
        title: operation,
      });
    }
  }
  for (const [id, { call, day, count }] of days) {
    const at = runOf(day);
    if (count <= A_DAY || at <= site.judged || at > site.to) continue;
    const title = `${count} ${call.operation} in a day`;
    const who = { callers: [call.caller.oid], keys: [] };
    alerts.push({ id, detector: 'more than 25 a day', at, severity: 'Medium', score: 30, ...who, title });
  }
  return alerts;
}

const runOf = (day: number): number => (day + 1) * DAY + 5 * MINUTE;
