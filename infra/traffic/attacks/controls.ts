import { HOUR, MINUTE } from '../calendar.ts';
import { ROLES, shapes } from '../operations.ts';
import { type Attack, fromPortal, person, stranger, versionOf } from './attack.ts';

const DATA_ACTIONS = 'Microsoft.KeyVault/managedHsm';

/** S7 to S11, S13, S14, S22 and S23: roles, settings, logging, what is destroyed, and the account for emergencies. */
export const CONTROLS: Attack[] = [
  {
    ...{
      id: 'S7',
      title: 'Policy Administrator makes himself Administrator, then uses it',
      expected: ['D4'],
      target: 15,
    },
    ...{ class: 'controls', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 4).caller.oid],
    run({ site, tape, at, random }) {
      const who = person(site, 4);
      const id = random.guid();
      tape.call(who, shapes.putAssignment('/', id), at);
      const grant = { id, scope: '/', role: ROLES.administrator, principalId: who.caller.oid };
      tape.changes.push({ at, kind: 'granted', grant });
      tape.call(who, shapes.createKey('helper-01'), at + 30 * MINUTE);
      return { until: at + 30 * MINUTE, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S8', title: 'Role granted, used and removed within six minutes', expected: ['D4'], target: 15 },
    ...{ class: 'controls', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 0).caller.oid],
    run({ site, tape, at, random }) {
      const who = person(site, 0);
      const guest = stranger(random, site);
      const id = random.guid();
      const key = site.minor[0]?.key ?? site.batch.key;
      tape.call(who, shapes.putAssignment('/keys', id), at);
      const grant = { id, scope: '/keys', role: ROLES.cryptoUser, principalId: guest.caller.oid };
      tape.changes.push({ at, kind: 'granted', grant });
      tape.call(guest, shapes.crypto('unwrapkey', key, versionOf(site, key, at)), at + 2 * MINUTE, {
        count: 5,
        span: MINUTE,
      });
      tape.call(who, shapes.deleteAssignment('/keys', id), at + 6 * MINUTE);
      tape.changes.push({ at: at + 6 * MINUTE, kind: 'revoked', id });
      return { until: at + 6 * MINUTE, callers: [who.caller.oid, guest.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S9', title: 'Custom role silently gains purge and release', expected: ['D5'], target: 15 },
    ...{ class: 'controls', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 1).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 1);
      const [role] = site.definitions;
      if (!role) throw new Error('the site has no custom role');
      const gained = [`${DATA_ACTIONS}/keys/deletedKeys/delete`, `${DATA_ACTIONS}/keys/release/action`];
      tape.call(who, shapes.putDefinition(role.id), at);
      tape.changes.push({ at, kind: 'definition', role: { ...role, dataActions: [...role.dataActions, ...gained] } });
      return { until: at, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{
      id: 'S10',
      title: 'Key management through ARM switched on, keys created from the portal',
      expected: ['D5', 'D9'],
    },
    ...{ class: 'controls', critical: true, lane: 'rule', target: 65 },
    touches: (site) => [person(site, 2).caller.oid],
    run({ site, tape, at }) {
      const who = fromPortal(person(site, 2));
      const name = 'AllowKeyManagementOperationsThroughARM';
      tape.call(who, shapes.updateSetting(name), at);
      tape.changes.push({ at, kind: 'setting', name, value: 'true' });
      for (const index of [1, 2]) tape.call(who, shapes.createKey(`portal-0${index}`), at + index * 10 * MINUTE);
      return { until: at + 20 * MINUTE, callers: [who.caller.oid], keys: ['portal-01', 'portal-02'] };
    },
  },
  {
    ...{ id: 'S11', title: 'Five keys deleted, then purges tried and refused', expected: ['D6'], target: 15 },
    ...{ class: 'destruction', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 3).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 3);
      const names = site.minor.slice(-5).map(({ key }) => key);
      for (const [index, name] of names.entries()) {
        tape.call(who, shapes.deleteKey(name), at + index * MINUTE);
        tape.call(who, shapes.purgeKey(name), at + (8 + index) * MINUTE, { status: 403 });
      }
      return { until: at + 13 * MINUTE, callers: [who.caller.oid], keys: names };
    },
  },
  {
    ...{
      id: 'S13',
      title: 'Diagnostic setting deleted, keys used unseen, setting put back',
      expected: ['D7'],
      target: 35,
    },
    ...{ class: 'controls', critical: true, lane: 'rule', hours: 3, alone: true },
    touches: (site) => [person(site, 0).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 0);
      const resource = `/subscriptions/0/resourceGroups/keys/providers/Microsoft.KeyVault/managedHSMs/${site.hsm}`;
      const setting = `${resource}/providers/Microsoft.Insights/diagnosticSettings/audit`;
      const caller = who.caller.upn;
      tape.act({ at, operation: 'Microsoft.Insights/diagnosticSettings/delete', resource: setting, caller });
      tape.silences.push({ from: at + MINUTE, to: at + 3 * HOUR });
      const { key } = site.envelope;
      tape.call(site.envelope, shapes.crypto('unwrapkey', key, versionOf(site, key, at)), at + 5 * MINUTE, {
        count: 9000,
        span: HOUR,
      });
      tape.act({
        at: at + 3 * HOUR,
        operation: 'Microsoft.Insights/diagnosticSettings/write',
        resource: setting,
        caller,
      });
      return { until: at + 3 * HOUR, callers: [who.caller.oid, caller], keys: [], hsmWide: true };
    },
  },
  {
    ...{ id: 'S14', title: 'Export of the log stops without a trace', expected: ['D7'], target: 45 },
    ...{ class: 'controls', critical: true, lane: 'rule', hours: 4, alone: true },
    touches: () => [],
    run({ tape, at }) {
      tape.silences.push({ from: at, to: at + 4 * HOUR });
      return { until: at + 4 * HOUR, callers: [], keys: [], hsmWide: true };
    },
  },
  {
    ...{
      id: 'S22',
      title: 'Ransom: key created, storage re-pointed, old key deleted, purge tried',
      expected: ['D6'],
      target: 30,
    },
    ...{ class: 'destruction', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 2).caller.oid, site.storage[3]?.key ?? ''],
    run({ site, tape, at }) {
      const who = person(site, 2);
      const victim = site.storage[3]?.key ?? site.batch.key;
      tape.call(who, shapes.createKey('accounts-new'), at);
      const account = '/subscriptions/0/resourceGroups/data/providers/Microsoft.Storage/storageAccounts/ledger';
      tape.act({
        at: at + 3 * MINUTE,
        operation: 'Microsoft.Storage/storageAccounts/write',
        resource: account,
        caller: who.caller.upn,
      });
      tape.call(who, shapes.deleteKey(victim), at + 10 * MINUTE);
      tape.call(who, shapes.purgeKey(victim), at + 12 * MINUTE, { status: 403 });
      return { until: at + 12 * MINUTE, callers: [who.caller.oid], keys: [victim, 'accounts-new'] };
    },
  },
  {
    ...{
      id: 'S22',
      variant: 'sql',
      title: 'Ransom: key created, a server of SQL moved to it, old key deleted',
      expected: ['D6'],
      target: 30,
    },
    ...{ class: 'destruction', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 3).caller.oid, site.sql[1]?.key ?? ''],
    run({ site, tape, at, random }) {
      const who = person(site, 3);
      const victim = site.sql[1]?.key ?? site.batch.key;
      tape.call(who, shapes.createKey('tde-new'), at);
      const server = '/subscriptions/0/resourceGroups/data/providers/Microsoft.Sql/servers/core';
      tape.act({
        at: at + 3 * MINUTE,
        operation: 'Microsoft.Sql/servers/keys/write',
        resource: `${server}/keys/${site.hsm}_tde-new_${random.hex(32)}`,
        caller: who.caller.upn,
      });
      tape.call(who, shapes.deleteKey(victim), at + 10 * MINUTE);
      return { until: at + 10 * MINUTE, callers: [who.caller.oid], keys: [victim, 'tde-new'] };
    },
  },
  {
    ...{
      id: 'S23',
      title: 'Emergency account used, though nobody knows of an emergency',
      expected: [],
      target: 20,
    },
    ...{ class: 'misuse', critical: true, lane: 'rule' },
    touches: (site) => [site.breakGlass.caller.oid],
    run({ site, tape, at }) {
      const { breakGlass: who } = site;
      tape.call(who, shapes.challenge(), at, { status: 401 });
      tape.call(who, shapes.listKeys(), at + 1000);
      tape.call(who, shapes.getKey(site.signing.key), at + 2 * MINUTE);
      tape.call(who, shapes.listAssignments(), at + 3 * MINUTE);
      return { until: at + 3 * MINUTE, callers: [who.caller.oid], keys: [] };
    },
  },
];
