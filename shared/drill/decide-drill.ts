import type { BackupRecord } from '../backup/backup.ts';
import { hasReached, isGood, isPresent, newestFirst } from '../backup/catalogue.ts';
import { isSameHsm } from '../policy/drill-hsm.ts';
import type { DrillRule, DrillTarget } from '../policy/hsm-rule.ts';
import { hash32 } from '../rotation/jitter.ts';
import { addDuration, subtractDuration, toIso } from '../time.ts';

export interface DrillInput {
  hsm: string;
  rule: DrillRule;
  records: readonly BackupRecord[];
  /** When the last drill of this HSM ended, whatever its verdict; absent: never. */
  lastDrillOn?: string;
  /** Since when the HSM is looked after: the first drill is due one interval later. */
  watchedSince: string;
  /** A drill of this HSM that runs. */
  running?: string;
  /** Whether the installation can reach an HSM that it makes. */
  reachesNewHsm: boolean;
  /** Names of the HSMs of the installation, of which a standing drill HSM is one. */
  hsms: readonly string[];
  /** The field of the policy document that says where to restore to, as `hsms[0].drills.target`. */
  targetField: string;
  request?: { id: string; by: string; note: string /** Restores this one. */; backup?: string };
  now: Date;
}

export type DrillDecision =
  | {
      kind: 'run';
      reason: 'Scheduled' | 'OperatorRequest';
      /** Instance id, and the source of chance: the same drill picks the same backup for ever. */
      instance: string;
      backup: string;
      /** How many backups of the window could have been picked. */
      candidates: number;
      target: DrillTarget;
      explanation: string;
    }
  | { kind: 'join'; holder: string; explanation: string }
  | { kind: 'keep'; reason: 'NotDue' | 'DrillsOff'; nextOn?: string; explanation: string }
  | {
      kind: 'refused';
      reason:
        | 'NoBackupInWindow'
        | 'BackupUnknown'
        | 'BackupNotLocked'
        | 'NoTarget'
        | 'TargetIsSource'
        | 'TargetUnknown'
        | 'NoWayToTarget';
      explanation: string;
      nextStep: string;
      /** Set while it is not due yet: the policy could not be followed then, which is told at once. */
      dueOn?: string;
    };

/** Whether to rehearse a restore now, of which backup, and where. */
export function decideDrill(input: DrillInput): DrillDecision {
  const { hsm, rule, running, request, now } = input;
  if (running !== undefined) {
    return { kind: 'join', holder: running, explanation: `A drill of ${hsm} is running already: ${running}.` };
  }
  if (request === undefined && rule.mode === 'off') {
    return { kind: 'keep', reason: 'DrillsOff', explanation: `The rule of ${hsm} rehearses only when a person asks.` };
  }
  const due = addDuration(new Date(input.lastDrillOn ?? input.watchedSince), rule.every);
  // Before it is due: what the policy says wrongly must not wait a quarter of a year to be found.
  const unfit = refuseTarget(input);
  if (unfit !== undefined) return { ...unfit, ...(request === undefined && now < due ? { dueOn: toIso(due) } : {}) };
  if (request === undefined && now < due) {
    const explanation = `The next drill of ${hsm} is due on ${toIso(due)}.`;
    return { kind: 'keep', reason: 'NotDue', nextOn: toIso(due), explanation };
  }
  const instance = drillInstanceId(hsm, request === undefined ? toIso(due) : `request-${request.id}`);
  const picked = pickBackup(input, instance);
  if ('kind' in picked) return picked;
  return {
    kind: 'run',
    reason: request === undefined ? 'Scheduled' : 'OperatorRequest',
    instance,
    backup: picked.backup.id,
    candidates: picked.candidates,
    target: asKnown(rule.target, input.hsms),
    explanation:
      request === undefined ? `A drill was due on ${toIso(due)}.` : `${request.by} asked for it: ${request.note}`,
  };
}

/** One drill for one due instant or request. */
export const drillInstanceId = (hsm: string, occasion: string): string =>
  `drill-${hsm}-${occasion.replace(/[^0-9A-Za-z-]/g, '')}`;

type Refused = Extract<DrillDecision, { kind: 'refused' }>;

function refuseTarget(input: DrillInput): Refused | undefined {
  const { hsm, rule, reachesNewHsm } = input;
  const { target } = rule;
  if (target.kind === 'standing') return refuseStanding(input, target.hsm);
  if (target.region !== '') return reachesNewHsm ? undefined : noWay(hsm);
  return {
    kind: 'refused',
    reason: 'NoTarget',
    explanation: `The policy does not say where a drill of ${hsm} restores to.`,
    nextStep: 'Set drills.target to a standing HSM, or to a temporary one with its region.',
  };
}

function refuseStanding({ hsm, hsms, targetField }: DrillInput, target: string): Refused | undefined {
  if (isSameHsm(target, hsm)) {
    return {
      kind: 'refused',
      reason: 'TargetIsSource',
      explanation: `The drill HSM of ${hsm} is ${hsm} itself, and a restore wipes its target.`,
      nextStep: 'Name another HSM of the same security domain in drills.target.',
    };
  }
  if (hsms.some((known) => isSameHsm(known, target))) return undefined;
  const others = hsms.filter((known) => !isSameHsm(known, hsm));
  const known = others.length === 0 ? `none beside ${hsm}` : others.slice(0, MOST_NAMED).join(', ');
  return {
    kind: 'refused',
    reason: 'TargetUnknown',
    explanation: `${targetField}.hsm names "${target}", and must be an HSM of this installation: ${known}.`,
    nextStep: `Write the name as MHSM_HSMS has it, as in { "kind": "standing", "hsm": "${others[0] ?? `${hsm}-drill`}" }, or add the drill HSM there.`,
  };
}

/** HSMs shown where a name is not one of them. */
const MOST_NAMED = 5;

/** Names compare without case, and everything that is stored has the one of the settings. */
function asKnown(target: DrillTarget, hsms: readonly string[]): DrillTarget {
  if (target.kind !== 'standing') return target;
  return { ...target, hsm: hsms.find((known) => isSameHsm(known, target.hsm)) ?? target.hsm };
}

/** Said before anything is made: a new HSM is closed to the public network, and would cost without being of use. */
const noWay = (hsm: string): Refused => ({
  kind: 'refused',
  reason: 'NoWayToTarget',
  explanation: `A drill of ${hsm} makes an HSM that is closed to the public network, and no subnet is named for its private endpoint.`,
  nextStep:
    'Set MHSM_HSM_ENDPOINT and let the identity of restoring make private endpoints, or name a standing drill HSM.',
});

/** Locked copies only, because a proof of what may still change proves nothing; the requested one whatever its age. */
function pickBackup(
  { hsm, rule, records, request, now }: DrillInput,
  instance: string,
): { backup: BackupRecord; candidates: number } | DrillDecision {
  if (request?.backup !== undefined) {
    const asked = records.find((record) => record.id === request.backup && isPresent(record));
    if (asked !== undefined && hasReached(asked, 'locked')) return { backup: asked, candidates: 1 };
    return {
      kind: 'refused',
      reason: asked === undefined ? 'BackupUnknown' : 'BackupNotLocked',
      explanation: `Backup ${request.backup} ${asked === undefined ? 'is not in the catalogue' : 'is not locked yet'}.`,
      nextStep: 'Choose another backup from the catalogue.',
    };
  }
  const from = subtractDuration(now, rule.window);
  const candidates = newestFirst(records)
    .filter((record) => isGood(record) && hasReached(record, 'locked'))
    .filter(({ takenOn }) => Date.parse(takenOn) >= from.getTime());
  const index = rule.pick === 'latest' ? 0 : Math.floor(chance(instance) * candidates.length);
  const backup = candidates[index];
  if (backup !== undefined) return { backup, candidates: candidates.length };
  return {
    kind: 'refused',
    reason: 'NoBackupInWindow',
    explanation: `No locked backup of ${hsm} lies within the last ${rule.window}.`,
    nextStep: 'See why backups are missing or not locked, or widen drills.window.',
  };
}

/** From 0 up to, but not including, 1; the same for the same id, so that a replay picks the same backup. */
export const chance = (id: string): number => hash32(id) / 2 ** 32;
