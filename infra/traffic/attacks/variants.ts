import { DAY, HOUR, MINUTE } from '../calendar.ts';
import { ROLES, shapes } from '../operations.ts';
import { type Attack, type Benign, person, stranger, versionOf } from './attack.ts';
import { CONTROLS } from './controls.ts';
import { MISUSE } from './misuse.ts';
import { ROOT_AND_BACKUP } from './root-and-backup.ts';

const known = (id: string, variant?: string): Attack => {
  const found = [...ROOT_AND_BACKUP, ...CONTROLS, ...MISUSE].find((each) => each.id === id && each.variant === variant);
  if (!found) throw new Error(`no attack ${id}`);
  return found;
};

const judgedIntent = (benign: Benign, from: number, pattern: RegExp) =>
  benign.intents.find(({ id, at }) => at > from + DAY && pattern.test(id));

/** The same attacks by somebody who knows what we look for. */
export const VARIANTS: Attack[] = [
  {
    ...{ ...known('S3'), variant: 'our-window', title: 'Full backup by a person while ours runs' },
    at: (site, benign) => windowOf(judgedIntent(benign, site.judged, /^backup-/)),
  },
  {
    ...{
      ...known('S4'),
      variant: 'forged-intent',
      title: 'Stolen backup identity announces its own backup, without approval',
    },
    run(scene) {
      const { site, tape, at } = scene;
      const by = site.own.backup.caller.app;
      const count = { 'backup.start': 1, 'backup.poll': 60 };
      const window = { from: at - 5 * MINUTE, to: at + 35 * MINUTE };
      tape.intents.push({
        id: 'backup-forged:intent',
        at: at - MINUTE,
        target: 'backup',
        clientId: by,
        ...window,
        count,
        approvedBy: '',
      });
      return known('S4').run(scene);
    },
  },
  {
    ...{
      ...known('S4'),
      variant: 'replayed-intent',
      title: 'Stolen backup identity starts a second backup on the intent of the first',
    },
    at: (site, benign) => windowOf(judgedIntent(benign, site.judged + 8 * DAY, /^backup-/)),
  },
  {
    ...{
      ...known('S5'),
      variant: 'replayed-intent',
      title: 'Stolen rotation identity backs up more keys than its rotation announced',
    },
    at: (site, benign) => windowOf(judgedIntent(benign, site.judged + 3 * DAY, /^rotate-/)),
    touches: (site) => [site.own.rotate.caller.oid],
    run({ site, tape, at, random }) {
      const who = site.own.rotate;
      const names = random.shuffled(site.minor.map(({ key }) => key)).slice(0, 12);
      for (const [index, name] of names.entries()) tape.call(who, shapes.backupKey(name), at + index * 30_000);
      return { until: at + 6 * MINUTE, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ ...known('S5'), variant: 'four-identities', title: 'Twelve key backups split over four identities' },
    touches: (site) => site.people.map(({ caller }) => caller.oid),
    run({ site, tape, at, random }) {
      const names = random.shuffled(site.minor.map(({ key }) => key)).slice(0, 12);
      const group = [0, 1, 2, 3].map((index) => person(site, index));
      for (const [index, name] of names.entries())
        tape.call(group[index % 4] ?? person(site, 0), shapes.backupKey(name), at + index * 100_000);
      return { until: at + 20 * MINUTE, callers: group.map(({ caller }) => caller.oid), keys: names };
    },
  },
  {
    ...{ ...known('S6'), variant: 'our-window', title: 'Key released inside the window of a rotation' },
    at: (site, benign) => windowOf(judgedIntent(benign, site.judged + 12 * DAY, /^rotate-/)),
  },
  {
    ...{
      ...known('S7'),
      variant: 'forged-intent',
      title: 'Onboarding identity grants itself Administrator on an intent that nobody approved',
    },
    touches: (site) => [site.own.onboard.caller.oid],
    run({ site, tape, at, random }) {
      const who = site.own.onboard;
      const id = random.guid();
      const window = { from: at - 5 * MINUTE, to: at + 25 * MINUTE };
      const count = { 'rbac.assign.put': 1 };
      const intent = {
        id: 'role-forged:intent',
        at: at - MINUTE,
        target: 'keys',
        clientId: who.caller.app,
        ...window,
        count,
      };
      tape.intents.push({ ...intent, approvedBy: '' });
      tape.call(who, shapes.putAssignment('/', id), at);
      const grant = { id, scope: '/', role: ROLES.administrator, principalId: who.caller.oid };
      tape.changes.push({ at, kind: 'granted', grant });
      return { until: at, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ ...known('S1'), variant: 'late-rows', title: 'Security domain downloaded while rows come 45 minutes late' },
    run(scene) {
      const done = known('S1').run(scene);
      for (const call of scene.tape.calls)
        if (call.at >= scene.at && call.at <= done.until) call.arrived = call.at + 45 * MINUTE;
      return done;
    },
  },
  {
    ...{ ...known('S15'), variant: 'four-identities', title: 'Refusals split over four identities' },
    touches: (site) => [site.minor[2]?.key ?? ''],
    run({ site, tape, at, random }) {
      const group = Array.from({ length: 4 }, () => stranger(random, site));
      const names = [...site.minor, ...site.storage, ...site.sql].map(({ key }) => key);
      for (const [index, name] of names.entries()) {
        const who = group[index % 4] ?? stranger(random, site);
        tape.call(who, shapes.crypto('unwrapkey', name, versionOf(site, name, at)), at + index * 20_000, {
          status: 403,
        });
      }
      return { until: at + 9 * MINUTE, callers: group.map(({ caller }) => caller.oid), keys: [] };
    },
  },
  {
    ...{ ...known('S16'), variant: 'allowed-address', title: "Storage identity's token used from an allowed address" },
    run({ site, tape, at }) {
      const account = site.storage[1] ?? site.batch;
      const inside = site.privateOnly
        ? { address: '10.1.0.99', subnet: 'snet-app' }
        : { address: '203.0.113.77', subnet: '' };
      const thief = { ...account, ...inside, trustedService: '', userAgent: 'curl/8.5.0' };
      const shape = shapes.crypto('unwrapkey', account.key, versionOf(site, account.key, at));
      tape.call(thief, shape, at, { count: 20, span: 8 * MINUTE });
      return { until: at + 8 * MINUTE, callers: [account.caller.oid], keys: [account.key] };
    },
  },
  {
    ...{ ...known('S17', 'night'), variant: 'poisoned', title: 'The same after three weeks of 3 % more each day' },
    at: (site) => {
      for (let day = site.judged + 21 * DAY; day < site.to - 2 * DAY; day += DAY)
        if (site.calendar.isWorkday(day + 12 * HOUR)) return site.calendar.atLocalHour(day + 12 * HOUR, 3);
      return undefined;
    },
    run(scene) {
      const { site, tape, at, benign } = scene;
      const { key } = site.envelope;
      for (const call of benign.calls) {
        if (call.key !== key || call.operation !== 'KeyUnwrap' || call.at < at - 21 * DAY || call.at >= at) continue;
        const days = (call.at - (at - 21 * DAY)) / DAY;
        const count = Math.round(call.count * (1.03 ** days - 1));
        if (count > 0)
          tape.call(site.envelope, shapes.crypto('unwrapkey', key, call.version), call.at, { count, span: call.span });
      }
      return known('S17', 'night').run(scene);
    },
  },
];

const windowOf = (intent: { from: number } | undefined): number | undefined =>
  intent === undefined ? undefined : intent.from + 8 * MINUTE;
