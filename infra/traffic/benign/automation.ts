import { DAY, HOUR, MINUTE } from '../calendar.ts';
import { shapes } from '../operations.ts';
import { randomFor } from '../random.ts';
import type { Client, Site } from '../site.ts';
import type { Tape } from '../tape.ts';
import { type Rotation, versionInUse } from './versions.ts';

/** What the product does by itself: each act is announced, then done. */
export function automation(site: Site, tape: Tape, rotations: Rotation[]): void {
  for (const rotation of rotations) rotate(site, tape, rotation);
  backups(site, tape);
  watches(site, tape);
}

/** Enters an intent as the journal would: five minutes of skew on either side. */
export function announce(
  tape: Tape,
  id: string,
  {
    by,
    target,
    at,
    lasts,
    count,
    approvedBy = '',
  }: { by: Client; target: string; at: number; lasts: number; count: Record<string, number>; approvedBy?: string },
): void {
  const clientId = by.caller.app;
  tape.intents.push({
    id,
    at: at - 1000,
    target,
    clientId,
    from: at - 5 * MINUTE,
    to: at + lasts + 5 * MINUTE,
    count,
    approvedBy,
  });
}

function rotate(site: Site, tape: Tape, { key, at, version }: Rotation): void {
  const { rotate: by } = site.own;
  const count = {
    'read.key': 4,
    'read.list': 2,
    'key.backup': 1,
    'key.rotate': 1,
    'crypto.protect': 2,
    'crypto.unprotect': 2,
  };
  announce(tape, `rotate-${key}-${version}:intent`, {
    by,
    target: `keys/${key}`,
    at: at - MINUTE,
    lasts: 15 * MINUTE,
    count,
  });
  tape.call(by, shapes.getKey(key), at - 50_000);
  tape.call(by, shapes.listVersions(key), at - 45_000);
  tape.call(by, shapes.backupKey(key), at - 30_000);
  tape.call(by, shapes.rotateKey(key), at);
  tape.call(by, shapes.getKey(key), at + 2000);
  if (key === site.signing.key) tape.call(by, shapes.crypto('sign', key, version), at + 5000);
  else {
    tape.call(by, shapes.crypto('wrapkey', key, version), at + 5000);
    tape.call(by, shapes.crypto('unwrapkey', key, version), at + 6000);
  }
  tape.changes.push({ at, kind: 'version', key, version });
}

/** A full backup each week, followed until it is done, and a second one before the drill of the quarter. */
function backups(site: Site, tape: Tape): void {
  const random = randomFor(site.seed, site.hsm, 'backups');
  const apart = site.parameters.automation.backupDays * DAY;
  const starts: number[] = [];
  for (let day = site.from + random.next() * apart; day < site.to; day += apart)
    starts.push(site.calendar.atLocalHour(day, 23) + random.next() * HOUR);
  starts.push(site.from + random.next() * 90 * DAY);
  for (const at of starts.filter((start) => start > site.from && start < site.to))
    backUp(site, tape, at, random.hex(32));
}

/** When a backup of ours runs, so that an attack can hide in its window. */
export function backUp(site: Site, tape: Tape, at: number, job: string): void {
  const { backup: by } = site.own;
  announce(tape, `backup-${job}:intent`, {
    by,
    target: 'backup',
    at,
    lasts: 30 * MINUTE,
    count: { 'backup.start': 1, 'backup.poll': 60 },
  });
  tape.changes.push({ at, kind: 'container', job, uri: site.approvedContainer });
  tape.call(by, shapes.backup(), at + 2000);
  tape.call(by, shapes.backupPoll(job), at + 12_000, { count: 20, span: 20 * 30_000 });
}

/** Inventory by day, configuration by hour, canary every five minutes. */
function watches(site: Site, tape: Tape): void {
  const { observe, canary } = site.own;
  const random = randomFor(site.seed, site.hsm, 'watches');
  const names = [...site.keys.values()].filter(({ decoy }) => !decoy).map(({ name }) => name);
  for (let day = site.from; day < site.to; day += DAY) {
    const at = site.calendar.atLocalHour(day + 12 * HOUR, 4) + random.next() * HOUR;
    tape.call(observe, shapes.listKeys(), at);
    for (const [index, name] of names.entries()) {
      tape.call(observe, shapes.getKey(name), at + 1000 + index * 400);
      tape.call(observe, shapes.listVersions(name), at + 1200 + index * 400);
    }
  }
  for (let hour = site.from; hour < site.to; hour += HOUR) {
    const at = hour + random.next() * 60_000;
    tape.call(observe, shapes.listAssignments(), at);
    tape.call(observe, shapes.listSettings(), at + 500);
  }
  const self = { key: site.canary, adoptsAfter: 0 };
  for (let at = site.from + random.between(0, 4) * MINUTE; at < site.to; at += 5 * MINUTE) {
    tape.call(canary, shapes.crypto('sign', site.canary, versionInUse(site, self, at)), at);
    tape.call(canary, shapes.getKey(site.canary), at + 300);
  }
}
