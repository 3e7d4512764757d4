import type { Calendar } from '../calendar.ts';
import type { AttackLabel, TrafficCall } from '../call.ts';
import type { Random } from '../random.ts';
import { type Client, PORTAL, type Site } from '../site.ts';
import type { Tape } from '../tape.ts';

/** When an attack may begin. */
export type Legal = 'any' | 'night' | 'peak' | 'afternoon' | 'weekend' | 'workday';

export interface Attack {
  id: string;
  variant?: string;
  title: string;
  expected: readonly string[];
  class: AttackLabel['class'];
  critical: boolean;
  lane: AttackLabel['lane'];
  legal?: Legal;
  /** Minutes in which it should be found. */
  target: number;
  /** Hours that it takes, for placing. */
  hours?: number;
  /** Nothing else happens meanwhile: rows are lost. */
  alone?: boolean;
  /** Given where the site decides when it happens. */
  at?(site: Site, benign: Benign): number | undefined;
  /** Names of who and what it touches, so that two attacks on the same do not meet. */
  touches(site: Site): string[];
  run(scene: AttackScene): Done;
}

/** What the clean run does, for attacks that hide in it. */
export interface Benign {
  calls: TrafficCall[];
  intents: { id: string; at: number; target: string; clientId: string; from: number; to: number }[];
  compromisedAt: number;
}

export interface AttackScene {
  site: Site;
  tape: Tape;
  at: number;
  random: Random;
  benign: Benign;
}

export interface Done {
  until: number;
  /** Object ids or user names. */
  callers: string[];
  keys: string[];
  hsmWide?: boolean;
}

export const person = (site: Site, index: number): Client => site.people[index % site.people.length] as Client;

/** Somebody that the HSM has never seen. */
export const stranger = (random: Random, site: Site): Client => ({
  caller: { oid: random.guid(), app: random.guid(), upn: '' },
  address: site.privateOnly ? '10.1.0.99' : '203.0.113.99',
  subnet: site.privateOnly ? 'snet-app' : '',
  trustedService: '',
  userAgent: 'python-requests/2.32.3',
});

export const fromPortal = (client: Client): Client => ({ ...client, userAgent: PORTAL });

export const versionOf = (site: Site, key: string, at: number, back = 0): string => {
  const versions = (site.keys.get(key)?.versions ?? []).filter(({ createdOn }) => createdOn <= at);
  return (versions[Math.max(0, versions.length - 1 - back)] ?? site.keys.get(key)?.versions[0])?.version ?? '';
};

export function isLegal(calendar: Calendar, at: number, legal: Legal): boolean {
  const hour = new Date(calendar.local(at)).getUTCHours();
  const workday = calendar.isWorkday(at);
  switch (legal) {
    case 'any':
      return true;
    case 'workday':
      return workday;
    case 'night':
      return hour === 3 && workday;
    case 'peak':
      return hour === 13 && workday;
    case 'afternoon':
      return hour === 15 && workday;
    case 'weekend':
      return !workday && hour >= 6 && hour <= 16;
  }
}
