import type { CallGroup } from './audit-call.ts';

/** What must be read from the HSM before a window is judged, because no row holds the body of a request. */
export interface LookUps {
  /** Local role assignments, at `/` and at the keys named; null: none was changed. */
  assignments: { scopes: string[] } | null;
  /** Custom role definitions. */
  definitions: boolean;
  settings: boolean;
  /** Jobs whose container is asked for. */
  backupJobs: string[];
  /** Keys whose attributes are read again, because a call may have disabled or replaced them. */
  keys: string[];
}

/** A flood of changes is read as a whole: so many keys and jobs are asked for one by one, at most. */
const MOST = 50;

export function neededLookUps(calls: readonly Pick<CallGroup, 'class' | 'outcome' | 'path' | 'key'>[]): LookUps {
  const answered = calls.filter(({ outcome }) => outcome === 'ok');
  const changed = (...classes: CallGroup['class'][]) => answered.filter(({ class: of }) => classes.includes(of));
  const grants = changed('rbac.assign.put', 'rbac.assign.delete');
  const scopes = grants.map(({ key }) => (key === undefined ? '/' : `/keys/${key}`));
  const jobs = changed('backup.poll').flatMap(({ path }) => /^\/backup\/([^/]{1,100})\/pending/.exec(path)?.[1] ?? []);
  const keys = changed('key.update', 'key.create', 'key.rotate', 'key.import', 'key.restoreblob', 'key.policy.set');
  return {
    assignments: grants.length === 0 ? null : { scopes: few(['/', ...scopes]) },
    definitions: changed('rbac.definition.put', 'rbac.definition.delete').length > 0,
    // A write of a setting is logged with the status of a read, so every call to one may be a change.
    settings: changed('settings.update', 'settings.read').length > 0,
    backupJobs: few(jobs),
    keys: few(keys.flatMap(({ key }) => (key === undefined ? [] : [key]))),
  };
}

const few = (names: string[]): string[] => [...new Set(names)].sort().slice(0, MOST);
