import type { CustodyRule } from '../policy/hsm-rule.ts';
import { daysBetween, subtractDuration } from '../time.ts';
import type { Custody, WrappingCertificate } from './ledger.ts';

export interface CertificateExpiry {
  certificate: WrappingCertificate;
  holder?: string;
  state: 'ok' | 'expiring' | 'expired';
  /** Whole days; negative once expired. */
  daysLeft: number;
}

export interface CustodyExpiry {
  certificates: CertificateExpiry[];
  /** Those that are expiring or expired, the soonest first. */
  due: CertificateExpiry[];
  text: string;
}

/**
 * Its text deleted in 2026, Microsoft's page said that the expiry of wrapping certificates has no effect: the private key
 * still opens the security domain. So an expired one is never counted as lost.
 * Source: MicrosoftDocs/azure-security-docs, includes/managed-hsm/security-domain-prerequisites.md at c5e52c7c4^
 */
export const EXPIRED_CERTIFICATE =
  'An expired wrapping certificate still serves for recovery: its private key opens the security domain as before, and no data is lost. Renewing means to download the security domain again with new certificates, which changes neither keys nor data.';

/** When wrapping certificates expire; from public certificates alone, because logs do not show it. */
export function judgeExpiry(custody: Custody, { expiryWarning }: CustodyRule, now: Date): CustodyExpiry {
  const holders = new Map(custody.shares.map(({ certificate, holder }) => [certificate, holder?.name]));
  const certificates = custody.certificates.map((certificate): CertificateExpiry => {
    const notAfter = new Date(certificate.notAfter);
    const holder = holders.get(certificate.fingerprint);
    const warnFrom = subtractDuration(notAfter, expiryWarning);
    return {
      certificate,
      ...(holder === undefined ? {} : { holder }),
      state: now >= notAfter ? 'expired' : now >= warnFrom ? 'expiring' : 'ok',
      daysLeft: Math.floor(daysBetween(now, notAfter)),
    };
  });
  const due = certificates.filter(({ state }) => state !== 'ok').sort((a, b) => a.daysLeft - b.daysLeft);
  return { certificates, due, text: summarise(due, certificates.length) };
}

function summarise(due: readonly CertificateExpiry[], total: number): string {
  if (total === 0) return 'No wrapping certificate is registered.';
  if (due.length === 0)
    return total === 1 ? 'The wrapping certificate is valid.' : `All ${total} wrapping certificates are valid.`;
  const expired = due.filter(({ state }) => state === 'expired').length;
  const parts = [
    ...(expired === 0
      ? []
      : [`${expired} of ${total} wrapping certificates ${expired === 1 ? 'has' : 'have'} expired`]),
    ...(due.length === expired ? [] : [`${due.length - expired} of ${total} will expire soon`]),
  ];
  return `${parts.join(', ')}. ${EXPIRED_CERTIFICATE}`;
}
