import type { VersionUse } from '../../shared/adoption/judge-adoption.ts';
import type { AuditLog } from '../../shared/ports/audit-log.ts';
import type { FakeWorld } from './world.ts';

/** Gives a world a log that holds these calls, or that fails with what `fails` returns. */
export function withVersionUse(world: FakeWorld, use: VersionUse[], fails: () => Error | undefined = () => undefined) {
  const asked: { hsm: string; key: string; since: string }[] = [];
  const versionUse: AuditLog['versionUse'] = async (hsm, key, since) => {
    asked.push({ hsm, key, since });
    const fault = fails();
    if (fault) throw fault;
    return use.filter(({ last }) => last >= since) as Awaited<ReturnType<AuditLog['versionUse']>>;
  };
  world.auditLog = { versionUse } as AuditLog;
  return asked;
}

export const protectedWith = (version: string, at: string, changes: Partial<VersionUse> = {}): VersionUse => ({
  version,
  caller: { oid: 'oid-app' },
  class: 'crypto.protect',
  outcome: 'ok',
  count: 1,
  first: at,
  last: at,
  ...changes,
});
