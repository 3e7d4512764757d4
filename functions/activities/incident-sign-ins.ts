import { SIGN_IN_TABLES } from '../../shared/detection/queries/build-query.ts';
import type { Incident } from '../../shared/incident/incident.ts';
import { subtractDuration } from '../../shared/time.ts';
import type { World } from '../world.ts';
import { type Keeping, type Read, suspicionOf } from './incident-surroundings.ts';

/** Tokens live for an hour to a day, so whoever called signed in within a day before. */
const BEFORE = 'P1D';
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** How the intruder came by the token: sign-ins of the caller, where the tenant sends them to our workspace. */
export async function keepSignIns(
  world: World,
  incident: Incident,
  read: Read,
  { keep, absent }: Keeping,
): Promise<void> {
  const none = (why: string) => void absent.push(`sign-in logs: ${why}`);
  const { subject } = incident;
  if (subject.kind !== 'caller') return none('no caller is known whose sign-ins could be looked for');
  const who = subject.caller.oid;
  if (!GUID.test(who)) return none('the log names the caller by no object id');
  if (!world.auditLog) return none('no workspace is set');
  const now = world.clock.now();
  const after = subtractDuration(suspicionOf(incident, now), BEFORE).toISOString();
  const found = await read(world.auditLog.signIns(who, after, now.toISOString()), 'sign-in logs');
  if (!found) return;
  for (const table of SIGN_IN_TABLES) {
    if (!found.tables.includes(table)) none(`the workspace has no table ${table}`);
  }
  if (found.tables.length > 0) await keep('sign-ins', { who, after, upTo: now.toISOString() }, found);
}
