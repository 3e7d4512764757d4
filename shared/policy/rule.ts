/** The effective rule of one key: every field resolved. Durations are ISO 8601 texts, instants ISO texts. */
export interface KeyRule {
  rotation: RotationRule;
  notice: NoticeRule;
}

export interface RotationRule {
  /** `remind` tells the owner and never rotates: imported keys, certificate authorities. `off` leaves the key alone. */
  mode: 'rotate' | 'remind' | 'off';
  /** How long before expiry a key becomes due. */
  before: string;
  /** Rotate when the version is older than this, whatever its expiry says; absent: age alone is never a reason. */
  maximumAge?: string;
  /** Life of each new version: the `expiryTime` that the HSM's own policy must carry. */
  validity: string;
  /** The HSM rotates by itself this long before expiry, should this product not have: absent, it never does. */
  backstop?: string;
  /** Spreads due instants of a fleet over this span, by key, always the same for the same version. */
  jitter: string;
  /** Empty: any time. */
  windows: MaintenanceWindow[];
  blackouts: Blackout[];
  /** `required`: unproven is a failure. `whenPossible`: a key that permits no proof passes, and is told as unproven. */
  proof: 'required' | 'whenPossible';
  /** Keep a key-level backup before rotating. */
  backupFirst: boolean;
  /** Write the HSM's own rotation policy when it differs from this rule; `tell` only says so. */
  drift: 'repair' | 'tell';
  /** How long the key is meant to live: 100 versions at this cadence must last that long. */
  plannedLife: string;
  /** Warn the owner when the forecast of the last version is nearer than this. */
  budgetWarning: string;
  adoption: AdoptionRule;
  retirement: RetirementRule;
}

/** When a new version counts as used by everybody. */
export interface AdoptionRule {
  /** How long before the rotation callers of old versions are looked for. */
  lookBack: string;
  /** A caller that used an old version is not waited for once it was silent for so long. */
  silence: string;
}

/** When an old version may be disabled, after another person than who asked has approved it. */
export interface RetirementRule {
  /** Nobody may have used the version to protect for so long, beyond the silence of `adoption`. */
  grace: string;
  /** How long an approval is waited for. */
  approvalLasts: string;
  /** For so long it is watched afterwards, and enabled again at the first call that misses it. */
  watch: string;
}

export interface MaintenanceWindow {
  /** English short names, `Mon` to `Sun`, of the day on which the window opens. */
  days: Weekday[];
  /** Local time `HH:MM`. */
  opens: string;
  /** ISO duration, at most 24 hours. */
  lasts: string;
  /** IANA name. */
  timeZone: string;
}

export type Weekday = 'Mon' | 'Tue' | 'Wed' | 'Thu' | 'Fri' | 'Sat' | 'Sun';

/** No rotation from `from` until `until`, unless the key would expire meanwhile or an operator overrides it. */
export interface Blackout {
  from: string;
  until: string;
  reason: string;
}

export interface NoticeRule {
  /** Mail addresses; the key's tags come first, then the class or glob, then the document's fallback. */
  notify: string[];
  /** Owner as named by the tag, for the greeting; absent when nobody is named. */
  owner?: string;
}

/** Why the key may not be touched now, from its tags. */
export interface Hold {
  /** ISO instant until which it holds; absent: until the tag is removed. */
  until?: string;
  tag: string;
}

/** A rule with the place where each field came from, and what was wrong with the key's tags. */
export interface EffectiveRule {
  rule: KeyRule;
  hold?: Hold;
  /** The class that applies, by tag or by name; absent: none. */
  class?: string;
  /** `rotation.before` -> `tag rotate-before`, `class tier0`, `keys[2] payments-*`, `defaults`, `built in`. */
  origin: Record<string, string>;
  /** Tags that mean nothing or do not parse: told to the owner, never fatal. */
  notes: string[];
  /** Version (ETag or hash) of the policy document. */
  policyVersion: string;
}
