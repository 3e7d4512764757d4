import type { CustodyRule } from '../policy/hsm-rule.ts';
import { addDuration, toIso } from '../time.ts';
import { type Custody, holderKey, type Share } from './ledger.ts';

/** `unknown`: nobody has seen it for too long, which is no proof that it is gone. */
export type Reach = 'reachable' | 'unreachable' | 'unknown';

export interface ShareReach {
  certificate: string;
  holder?: string;
  place?: string;
  reach: Reach;
  why: string;
  /** Until when the last sighting counts. */
  validUntil?: string;
}

export interface QuorumJudgement {
  /**
   * `safe`: enough, with the margin of the rule. `atRisk`: enough, but not with the margin. `doubtful`: not enough that
   * were seen lately, yet enough if the unknown ones are there. `lost`: not enough, whoever is found. `unknown`: the quorum or
   * the shares are not recorded.
   */
  state: 'safe' | 'atRisk' | 'doubtful' | 'lost' | 'unknown';
  alarm: boolean;
  shares: ShareReach[];
  reachable: number;
  unreachable: number;
  unknown: number;
  total: number;
  needed?: number;
  /** Places whose loss alone would leave fewer than are needed. */
  singlePoints: string[];
  /** When the answer turns worse if nobody sees a share until then. */
  worsensOn?: string;
  /** `Three of five reachable, need two.` */
  text: string;
  nextStep: string;
}

/**
 * Can the quorum still be reached today? Losing it is the one thing that cannot be undone: without it no backup can ever be
 * restored. So the alarm comes while the answer is still yes.
 */
export function judgeQuorum(custody: Custody, rule: CustodyRule, now: Date): QuorumJudgement {
  const shares = custody.shares.map((share) => judgeShare(custody, share, rule, now));
  const count = (reach: Reach) => shares.filter((share) => share.reach === reach).length;
  const [reachable, unreachable, unknown] = [count('reachable'), count('unreachable'), count('unknown')];
  const total = shares.length;
  const needed = custody.quorum;
  const counts = { shares, reachable, unreachable, unknown, total };
  if (needed === undefined || total === 0) {
    return {
      ...counts,
      ...(needed === undefined ? {} : { needed }),
      state: 'unknown',
      alarm: true,
      singlePoints: [],
      text: 'Nobody recorded which shares the security domain has and how many are needed.',
      nextStep:
        'Record the security domain: its quorum, the certificates it was downloaded with, and who holds each key.',
    };
  }
  const state = stateOf(reachable, unknown, needed, rule.margin);
  const singlePoints = reachable < needed ? [] : placesThatMatter(shares, reachable, needed);
  const worsensOn = nextLoss(shares);
  return {
    ...counts,
    needed,
    state,
    alarm: state !== 'safe',
    singlePoints,
    ...(worsensOn === undefined ? {} : { worsensOn }),
    text: textOf(counts, needed),
    nextStep: NEXT_STEP[state],
  };
}

type KnownState = Exclude<QuorumJudgement['state'], 'unknown'>;

const stateOf = (reachable: number, unknown: number, needed: number, margin: number): KnownState => {
  if (reachable >= needed + margin) return 'safe';
  if (reachable >= needed) return 'atRisk';
  return reachable + unknown >= needed ? 'doubtful' : 'lost';
};

const NEXT_STEP: Record<KnownState, string> = {
  safe: 'Nothing. Keep seeing the shares before their sightings grow old.',
  atRisk:
    'Bring another share within reach while the quorum still stands, or download the security domain again with new wrapping keys: keys and data are not affected.',
  doubtful: 'Have every share seen now, the unknown ones first, and record it.',
  lost: 'An Administrator downloads the security domain again with new wrapping keys while the HSM still lives: keys and data are not affected. Without it, no backup can be restored.',
};

function judgeShare(custody: Custody, share: Share, rule: CustodyRule, now: Date): ShareReach {
  const { holder, lastSeen, lost, certificate } = share;
  const base = { certificate, ...(holder === undefined ? {} : { holder: holder.name, place: holder.place }) };
  if (lost !== undefined) return { ...base, reach: 'unreachable', why: `lost since ${lost.at}: ${lost.reason}` };
  if (holder === undefined) return { ...base, reach: 'unknown', why: 'nobody is recorded as its holder' };
  const absence = absenceOf(custody, holder.name, now);
  if (absence !== undefined) return { ...base, reach: 'unreachable', why: absence };
  if (lastSeen === undefined) return { ...base, reach: 'unknown', why: 'nobody has recorded a sighting' };
  const validUntil = addDuration(new Date(lastSeen.at), rule.sightingValid);
  const seen = `last seen ${lastSeen.at} by ${lastSeen.by}`;
  if (now > validUntil) return { ...base, reach: 'unknown', why: `${seen}, which is too long ago` };
  return { ...base, reach: 'reachable', why: seen, validUntil: toIso(validUntil) };
}

function absenceOf(custody: Custody, holder: string, now: Date): string | undefined {
  const name = holderKey(holder);
  const absence = Object.hasOwn(custody.unavailable, name) ? custody.unavailable[name] : undefined;
  if (absence === undefined || (absence.until !== undefined && Date.parse(absence.until) <= now.getTime())) {
    return undefined;
  }
  return `${holder} is not available${absence.until === undefined ? '' : ` until ${absence.until}`}: ${absence.reason}`;
}

function placesThatMatter(shares: readonly ShareReach[], reachable: number, needed: number): string[] {
  const perPlace = new Map<string, number>();
  for (const { reach, place } of shares) {
    if (reach === 'reachable' && place !== undefined) perPlace.set(place, (perPlace.get(place) ?? 0) + 1);
  }
  return [...perPlace]
    .filter(([, there]) => reachable - there < needed)
    .map(([place]) => place)
    .sort();
}

function nextLoss(shares: readonly ShareReach[]): string | undefined {
  return shares.flatMap(({ validUntil }) => validUntil ?? []).sort((a, b) => Date.parse(a) - Date.parse(b))[0];
}

function textOf(
  {
    reachable,
    unreachable,
    unknown,
    total,
  }: { reachable: number; unreachable: number; unknown: number; total: number },
  needed: number,
): string {
  const rest = [
    ...(unknown === 0 ? [] : [`${inWords(unknown)} unknown`]),
    ...(unreachable === 0 ? [] : [`${inWords(unreachable)} out of reach`]),
  ];
  const line = `${inWords(reachable)} of ${inWords(total)} reachable, need ${inWords(needed)}`;
  const told = rest.length === 0 ? line : `${line}; ${rest.join(', ')}`;
  return `${told.charAt(0).toUpperCase()}${told.slice(1)}.`;
}

/** A security domain has ten shares at most. */
const WORDS = ['none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
const inWords = (count: number): string => WORDS[count] ?? String(count);
