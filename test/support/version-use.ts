import type { VersionUse } from '../../shared/adoption/judge-adoption.ts';
import type { AuditLog, VersionAnswer, VersionQuestion } from '../../shared/ports/audit-log.ts';
import type { FakeWorld } from './world.ts';

/** Gives a world a log in which every key was used so, or one that fails with what `fails` returns. */
export function withVersionUse(world: FakeWorld, use: VersionUse[], fails: () => Error | undefined = () => undefined) {
  const asked: VersionQuestion[] = [];
  const versionUse: AuditLog['versionUse'] = async (question) => {
    asked.push(question);
    const fault = fails();
    if (fault) throw fault;
    return everyKey(use)(question);
  };
  world.auditLog = { versionUse } as AuditLog;
  return asked;
}

/** An answer in which every key that is asked for was used alike. */
export const everyKey =
  (use: readonly VersionUse[]) =>
  ({ keys, refused }: VersionQuestion): VersionAnswer =>
    new Map(
      keys.map(({ name, since }) => [
        name,
        use.filter(
          ({ last, outcome, version }) => last >= since && (outcome === 'ok' || version === refused),
        ) as never[],
      ]),
    );

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
