import type { Observer } from './observer.ts';

/** What the operator API shows of findings and incidents, as far as stories look at it. */
export interface ShownFinding {
  id: string;
  detector: string;
  severity: string;
  title: string;
  keys?: string[];
}

export interface ShownIncident {
  id: string;
  severity: string;
  about: string;
  openedAt: string;
  keys: string[];
  contained: string | null;
  waitsFor: string[];
}

const LOUD = new Set(['Medium', 'High', 'Critical']);
export const isLoud = ({ severity }: { severity: string }): boolean => LOUD.has(severity);

export const findingsOf = async (look: Observer, hsm: string): Promise<ShownFinding[]> =>
  ((await look.api('GET', `/api/findings?hsm=${hsm}`, { as: 'auditor' })).body as { findings: ShownFinding[] })
    .findings;

export const incidentsOf = async (look: Observer): Promise<ShownIncident[]> =>
  ((await look.api('GET', '/api/incidents', { as: 'auditor' })).body as { incidents: ShownIncident[] }).incidents;

/** Nothing but incidents under way, which wait for people. */
export const quiet = (look: Observer): Promise<void> => look.settled(PEOPLE);

const PEOPLE = { except: /^incident-/ };

/** Runs the audit sweep and waits for what follows. */
export const sweep = (look: Observer): Promise<void> => look.run('auditSweepTimer', PEOPLE);
