/** Tags that a drill puts on the HSM that it makes. Only what carries both, with these values, is ever deleted. */
export const drillTags = (installation: string, drill: string): Record<string, string> => ({
  'mhsm-drill': drill,
  'mhsm-installation': installation,
});

export interface TearDownFacts {
  installation: string;
  drill: string;
  /** Of a temporary HSM, as the drill names it. */
  hsm: string;
  /** Until when a creation that was sent may still take effect; absent: none was ever sent. */
  creationSettlesOn?: string;
  /** What stands under its resource id now. */
  live?: { tags: Record<string, string>; provisioningState: string };
  /** What the list of soft-deleted HSMs says of it. */
  deleted?: { deletedOn: string; purgedOn: string; purgeProtection: boolean };
  now: Date;
}

export type TearDownDecision =
  | { kind: 'delete' }
  | { kind: 'wait'; why: string }
  /** Nothing was made, or what was made is gone; `deleted` says until when it is billed. */
  | { kind: 'gone'; deleted?: NonNullable<TearDownFacts['deleted']> }
  /** Something has the name that this drill did not make: it stays as it is. */
  | { kind: 'notOurs'; explanation: string };

/** What is left to do until nothing of a temporary HSM runs any more. Whatever is not ours is left alone. */
export function decideTearDown(facts: TearDownFacts): TearDownDecision {
  const { hsm, drill, live, deleted, creationSettlesOn, now } = facts;
  if (live) {
    const ours = Object.entries(drillTags(facts.installation, drill)).every(([tag, value]) => live.tags[tag] === value);
    if (!ours) {
      // A name that was taken before we asked for it is no fault of the drill, and nothing of it is left.
      if (creationSettlesOn === undefined) return { kind: 'gone' };
      return {
        kind: 'notOurs',
        explanation: `${hsm} does not carry the tags of the drill ${drill}, so it is not deleted.`,
      };
    }
    return live.provisioningState === 'Deleting'
      ? { kind: 'wait', why: `${hsm} is being deleted` }
      : { kind: 'delete' };
  }
  if (deleted) return { kind: 'gone', deleted };
  if (creationSettlesOn !== undefined && now.getTime() < Date.parse(creationSettlesOn)) {
    return { kind: 'wait', why: `the creation of ${hsm} may still take effect` };
  }
  return { kind: 'gone' };
}
