import { describe, expect, test } from 'vitest';
import { commitJudgement, propose } from '../../../functions/activities/detection-state.ts';
import { journalIncidentDecision } from '../../../functions/activities/incident-approvals.ts';
import { joinOne } from '../../../functions/activities/incident-joining.ts';
import { readWatches } from '../../../functions/activities/incident-planning.ts';
import { changeIncident, incidentOf } from '../../../functions/activities/incident-records.ts';
import type { Finding } from '../../../shared/detection/finding.ts';
import { emptyMemory } from '../../../shared/detection/memory.ts';
import { decideStep } from '../../../shared/incident/decide-step.ts';
import type { IncidentReport } from '../../../shared/incident/report.ts';
import type { HarderWatch } from '../../../shared/incident/watch.ts';
import { aFinding, MALLORY, SERVICE } from '../../shared/incident/builders.ts';
import {
  ADMIN_ROLE,
  aRole,
  createIncidentWorld,
  drive,
  type IncidentWorld,
  outOfReach,
} from '../../support/incident-world.ts';
import { everyKey, protectedWith } from '../../support/version-use.ts';
import { aKey } from '../../support/world.ts';

const HOUR = 3_600_000;
const AUTO = { keyScope: 'policy' } as const;
/** A grant to herself at one key, seen at once: what the policy may take away alone. */
const newGrant = () => ({
  detector: 'role-assignment',
  class: 'controls' as const,
  response: 'containByPolicy' as const,
  severity: 'Critical' as const,
  score: 90,
  assignments: [{ scope: '/keys/orders', id: aRole().id }],
});
const stepsOf = async (world: IncidentWorld) =>
  Object.fromEntries(((await world.incident()).plan ?? []).map(({ id, state }) => [id, state]));
const approve = async (world: IncidentWorld, step: string, by = 'oid-ana') => {
  const incident = await world.incident();
  const { id } = incident;
  const at = world.now.value.toISOString();
  await journalIncidentDecision(world, incident, { by, at, decision: 'approve', what: step, note: 'yes' });
  await changeIncident(world, id, (current) =>
    decideStep(current, step, { by, name: by, at, decision: 'approve', note: 'yes' }),
  );
};
const REVOKE = `revoke-keys-orders-${aRole().id}`;

describe('a new grant at one key that the policy may take away', () => {
  test('keeps evidence, tells, plans, takes it away, says so and verifies, in this order', async () => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    await world.open(newGrant());
    const { names } = await drive(world);
    expect(names.filter((name) => name !== 'nextIncidentStep')).toEqual([
      ...['beginIncident', 'collectEvidence', 'tellIncident', 'planIncident', 'watchHarder', 'tellIncident'],
      ...['revokeAssignment', 'settleContainment', 'tellIncident', 'verifyContainment', 'publishIncidentFacts'],
    ]);
    expect(world.changes).toEqual([`unassign ${aRole().id}`]);
    const incident = await world.incident();
    expect(incident.containment?.kind).toBe('full');
    expect(incident.status).toBe('contained');
    expect(incident.removed).toMatchObject([{ ...aRole(), step: REVOKE }]);
    expect(incident.verification?.result).toBe('refused');
    expect(world.published.map(({ type }) => type)).toEqual(['IncidentOpened', 'IncidentContained']);
  });

  test('asks the HSM for none of the keys that only the log names: its refusals would be the next finding', async () => {
    const world = createIncidentWorld();
    const forged = Array.from({ length: 20 }, (_, index) => `k${index}`);
    const asked: string[] = [];
    for (const read of ['read', 'versions', 'readRotationPolicy'] as const) {
      const real = world.keys.observe[read].bind(world.keys.observe) as (key: { name: string }) => Promise<never>;
      world.keys.observe[read] = (key: { name: string }) => {
        asked.push(key.name);
        return real(key);
      };
    }
    await world.open({ ...newGrant(), keys: ['orders', ...forged], keysInAll: 21 });
    await drive(world);
    expect([...new Set(asked)]).toEqual(['orders']);
    expect((await world.incident()).evidence?.gaps).toContain(
      'key k7: the log names it, and the HSM has no key of this name',
    );
  });

  test('does everything once when every activity runs twice', async () => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    await world.open(newGrant());
    await drive(world, { repeat: true });
    expect(world.changes).toEqual([`unassign ${aRole().id}`]);
    const notices = world.starter.started.filter(({ name }) => name === 'deliverNotification').map(({ id }) => id);
    expect(new Set(notices).size).toBe(notices.length);
    expect((await world.incident()).removed).toHaveLength(1);
  });

  test('finds after a kill before the answer that it was taken away, and does not take it twice', async () => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    await world.open(newGrant());
    let kills = 1;
    world.onUnassign.after = () => {
      if (kills-- > 0) throw outOfReach();
    };
    await drive(world);
    expect(await stepsOf(world)).toMatchObject({ [REVOKE]: 'underWay' });
    await drive(world, { forMs: HOUR });
    expect(await stepsOf(world)).toMatchObject({ [REVOKE]: 'done' });
    expect(world.changes).toEqual([`unassign ${aRole().id}`]);
  });

  test('announces it in the journal before, as one call', async () => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    await world.open(newGrant());
    await drive(world);
    const [intent, outcome] = world.journalled.filter((entry) => entry.class === 'access.revoke');
    expect(intent).toMatchObject({ kind: 'intent', count: { 'rbac.assign.delete': 1 }, target: 'keys/orders' });
    expect(outcome).toMatchObject({ kind: 'outcome', result: 'done' });
  });

  test('an HSM that is out of reach is said, tried again, and at last waits for a person', async () => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    await world.open(newGrant());
    world.onUnassign.before = () => {
      throw outOfReach();
    };
    await drive(world, { forMs: 3 * HOUR });
    const incident = await world.incident();
    expect(incident.plan?.[0]).toMatchObject({ state: 'failed', attempts: 6 });
    expect(incident.containment).toMatchObject({ kind: 'none', remains: [expect.stringContaining('failed')] });
    world.onUnassign = {};
    await approve(world, REVOKE);
    await drive(world);
    expect(await stepsOf(world)).toMatchObject({ [REVOKE]: 'done' });
  });
});

describe('what waits for people', () => {
  test('an administrator role at / is never taken away alone, and silence takes nothing away', async () => {
    const world = createIncidentWorld([
      aRole({ scope: '/', roleDefinitionId: ADMIN_ROLE }),
      ...['1', '2'].map((n) => aRole({ id: n, principalId: n, scope: '/', roleDefinitionId: ADMIN_ROLE })),
    ]);
    await world.setPolicy(AUTO);
    await world.open({ ...newGrant(), assignments: [{ scope: '/', id: aRole().id }] });
    const { waitsFor } = await drive(world, { forMs: 30 * HOUR });
    const step = `revoke-all-${aRole().id}`;
    expect(waitsFor).toContain('a verdict');
    expect(await stepsOf(world)).toMatchObject({ [step]: 'expired' });
    expect(world.changes).toEqual([]);
    const told = world.starter.started.map(({ id }) => id).filter((id) => id.includes('escalated'));
    expect(told).toHaveLength(3);
    // Late is not too late for a person.
    await approve(world, step);
    await drive(world);
    expect(world.changes).toEqual([`unassign ${aRole().id}`]);
  });

  test('the last administrators stay, whoever approves', async () => {
    const world = createIncidentWorld([aRole({ scope: '/', roleDefinitionId: ADMIN_ROLE })]);
    await world.setPolicy(AUTO);
    await world.open({ ...newGrant(), assignments: [{ scope: '/', id: aRole().id }] });
    await drive(world);
    const [step] = (await world.incident()).plan ?? [];
    expect(step).toMatchObject({ state: 'refused', reason: 'LastAdministrator' });
    expect(world.changes).toEqual([]);
  });

  test('the guard is asked again when it is done: an administrator that left meanwhile is counted', async () => {
    const world = createIncidentWorld([
      aRole({ scope: '/', roleDefinitionId: ADMIN_ROLE }),
      ...['1', '2'].map((n) => aRole({ id: n, principalId: n, scope: '/', roleDefinitionId: ADMIN_ROLE })),
    ]);
    await world.open({ ...newGrant(), assignments: [{ scope: '/', id: aRole().id }] });
    await drive(world);
    world.roles = world.roles.filter(({ id }) => id !== '2');
    await approve(world, `revoke-all-${aRole().id}`);
    await drive(world);
    expect(await stepsOf(world)).toMatchObject({ [`revoke-all-${aRole().id}`]: 'refused' });
    expect(world.changes).toEqual([]);
  });

  test('a break-glass account is untouchable', async () => {
    const world = createIncidentWorld();
    await world.setPolicy({ ...AUTO, breakGlass: [MALLORY.oid] });
    await world.open(newGrant());
    await drive(world);
    expect(await stepsOf(world)).toMatchObject({ [REVOKE]: 'refused' });
    expect(world.changes).toEqual([]);
  });

  test('a service waits for an approval, and whoever decides sees what depends on it', async () => {
    const world = createIncidentWorld([aRole({ principalId: SERVICE.oid })]);
    await world.setPolicy(AUTO);
    const log = world.auditLog as NonNullable<IncidentWorld['auditLog']>;
    const unprotected = { class: 'crypto.unprotect', caller: SERVICE, count: 412 };
    log.versionUse = async (question) => everyKey([protectedWith('v1', '2029-12-31T23:00:00Z', unprotected)])(question);
    await world.open({ caller: SERVICE, severity: 'Critical', score: 80, response: 'containByPolicy' });
    await drive(world);
    const step = (await world.incident()).plan?.find(({ id }) => id === REVOKE);
    expect(step).toMatchObject({ mode: 'approval', state: 'waiting' });
    expect(step?.shown[0]).toContain('412 times');
    expect(world.changes).toEqual([]);
  });
});

const toldContained = (world: IncidentWorld) =>
  world.starter.started.flatMap(({ id, input }) => {
    const notice = (input as { notice?: { kind: string; result: string; done: string[]; remains: string[] } }).notice;
    return notice?.kind === 'IncidentContained' ? [{ ...notice, stage: id.split('-1-')[1] }] : [];
  });

describe('what came of containment is said', () => {
  test('at once for what the policy took away, while people have still to decide about the rest', async () => {
    const wide = aRole({ id: '00000000-0000-4000-8000-0000000f0009', scope: '/keys' });
    const world = createIncidentWorld([aRole(), wide]);
    await world.setPolicy(AUTO);
    await world.open(newGrant());
    await drive(world);
    expect(toldContained(world)).toMatchObject([
      {
        result: 'partial',
        canPutBack: true,
        done: [expect.stringContaining('/keys/orders')],
        remains: [expect.stringContaining('waits for an approval')],
      },
    ]);
    expect((await world.incident()).verification?.explanation).toContain(wide.id);
    await approve(world, `revoke-keys-${wide.id}`);
    await drive(world, { forMs: HOUR });
    expect(toldContained(world).map(({ result }) => result)).toEqual(['partial', 'full']);
    expect((await world.incident()).verification?.result).toBe('refused');
  });

  test.each<[string, (world: IncidentWorld) => void | Promise<void>, string]>([
    [
      'the HSM stayed out of reach',
      (world) => {
        world.onUnassign.before = () => {
          throw outOfReach();
        };
      },
      'failed',
    ],
    ['the account is untouchable', (world) => world.setPolicy({ ...AUTO, breakGlass: [MALLORY.oid] }), 'break-glass'],
    ['nobody decided', (world) => world.setPolicy({}), 'Nobody decided'],
  ])('and as nothing, once, where %s', async (_title, arrange, why) => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    await arrange(world);
    await world.open(newGrant());
    await drive(world, { forMs: 30 * HOUR });
    expect(toldContained(world)).toMatchObject([{ result: 'none', done: [], remains: [expect.stringContaining(why)] }]);
    expect(world.published.map(({ type }) => type)).toEqual(['IncidentOpened']);
  });
});

test('what was taken away in a round before contains nothing of the next', async () => {
  const world = createIncidentWorld();
  await world.setPolicy(AUTO);
  const { id } = await world.open(newGrant());
  await drive(world);
  const closed = { at: world.now.value.toISOString(), by: 'ana', note: 'over', report: 'r' };
  await changeIncident(world, id, (current) => ({ ...current, status: 'closed', closed }));
  world.roles = [aRole({ id: '00000000-0000-4000-8000-0000000f0007' })];
  await world.open({ response: 'containByApproval' });
  await drive(world);
  expect(await stepsOf(world)).toMatchObject({
    [REVOKE]: 'done',
    'r2-revoke-keys-orders-00000000-0000-4000-8000-0000000f0007': 'waiting',
  });
  expect((await world.incident()).containment).toBeUndefined();
  expect(toldContained(world).map(({ result }) => result)).toEqual(['full']);
});

describe('two incidents about one assignment, of who gave it and of who got it', () => {
  const GIVER = { oid: '00000000-0000-4000-8000-00000000a111' };
  const both = async () => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    await world.open({ severity: 'Medium', score: 40, response: 'containByApproval' });
    const got = await world.incident();
    return { world, got, current: () => incidentOf(world, got.id) };
  };

  test('nobody is asked for what the other took away, and both are contained', async () => {
    const { world, got, current } = await both();
    await drive(world);
    expect(await stepsOf(world)).toMatchObject({ [REVOKE]: 'waiting' });
    world.starter.instances.set(got.id, 'running');
    const given = await world.open({ ...newGrant(), caller: GIVER, from: world.now.value.toISOString() });
    await drive(world);
    expect(world.changes).toEqual([`unassign ${aRole().id}`]);
    expect((await current()).plan?.find(({ id }) => id === REVOKE)).toMatchObject({
      state: 'skipped',
      detail: `It was taken away by the response to ${given.id}.`,
    });
    expect(world.starter.woken).toContain(got.id);
    await world.reopen(got.id);
    await drive(world);
    expect((await current()).containment).toEqual(expect.objectContaining({ kind: 'full', remains: [] }));
    expect((await current()).verification?.result).toBe('refused');
  });

  test('one that the other took away while this was planned is not asked for either', async () => {
    const { world, got, current } = await both();
    const given = await world.open({ ...newGrant(), caller: GIVER, from: world.now.value.toISOString() });
    await world.reopen(got.id);
    const access = world.response?.access as NonNullable<IncidentWorld['response']>['access'];
    const inventory = access.inventory.bind(access);
    // What was read of the roles is old by the time that the plan is written.
    access.inventory = async (...asked) => {
      const read = await inventory(...asked);
      access.inventory = inventory;
      await world.reopen(given.id);
      await drive(world);
      await world.reopen(got.id);
      return read;
    };
    const acts = ['beginIncident', 'planIncident'];
    for (const name of acts) await world.answer({ kind: 'activity', name, input: { incident: got.id } } as never);
    expect((await current()).plan?.find(({ id }) => id === REVOKE)).toMatchObject({
      state: 'skipped',
      detail: expect.stringContaining(given.id),
    });
  });

  test('one that is planned later says who took it away, and looks for no group', async () => {
    const { world, got, current } = await both();
    const given = await world.open({ ...newGrant(), caller: GIVER, from: world.now.value.toISOString() });
    await drive(world);
    await world.reopen(got.id);
    await drive(world);
    const plan = (await current()).plan ?? [];
    expect(plan.find(({ kind }) => kind === 'revoke')?.detail).toContain(given.id);
    expect(plan.map(({ id }) => id)).not.toContain('person-group');
    expect((await current()).containment?.kind).toBe('full');
  });

  test('what people took away themselves is not called undone when the time to decide is over', async () => {
    const { world } = await both();
    await drive(world);
    world.roles = [];
    await drive(world, { forMs: 30 * HOUR });
    expect(await stepsOf(world)).toMatchObject({ [REVOKE]: 'skipped' });
    expect((await world.incident()).containment?.kind).toBe('full');
  });
});

describe('keys', () => {
  test('that were used are planned for, however many others were named with them', async () => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    const named = Array.from({ length: 49 }, (_, index) => `a${index}`);
    await world.open({ ...newGrant(), class: 'misuse', keys: [...named, 'orders'], keysUsed: ['orders'] });
    await drive(world);
    expect(await stepsOf(world)).toMatchObject({ [REVOKE]: 'done', 'rotate-orders': 'waiting' });
  });

  test('are rotated by the path of every rotation when the policy says rotate, with a cause that names the incident', async () => {
    const world = createIncidentWorld([]);
    await world.setPolicy({ mode: 'rotate' });
    await world.open({ response: 'containByPolicy' });
    await drive(world);
    const version = world.fakeKeys.get('orders')?.versions[0]?.version ?? '';
    const started = world.starter.started.filter(({ name }) => name === 'rotateKey');
    expect(started).toMatchObject([
      { id: `rotate-contoso-orders-${version}`, input: { cause: { kind: 'Incident', by: 'policy response' } } },
    ]);
    // The rotation ends with a version that was proven.
    world.starter.instances.set(`rotate-contoso-orders-${version}`, { kind: 'rotated' });
    const entry = { version: 'new', previous: version, by: 'us', instance: '', at: '2030-01-01', proof: 'proven' };
    await world.documents.put('state', 'rotations/contoso/orders.json', {
      schema: 1,
      key: { hsm: 'contoso', name: 'orders' },
      versions: [{ ...entry, reason: 'Compromise' }],
    });
    await drive(world, { forMs: 60_000 });
    expect(await stepsOf(world)).toMatchObject({ 'rotate-orders': 'done' });
  });

  test('whose material is out get a new key offered, and no version that would change nothing', async () => {
    const world = createIncidentWorld([]);
    await world.setPolicy({ mode: 'rotate' });
    await world.open({ class: 'keyMaterial', response: 'containByPolicy' });
    await drive(world);
    const plan = (await world.incident()).plan ?? [];
    expect(plan.map(({ kind }) => kind)).toEqual(['newKey', 'disableOld', 'person']);
    expect(plan[0]).toMatchObject({ doneBy: 'people', state: 'waiting' });
    expect(world.starter.started.filter(({ name }) => name === 'rotateKey')).toEqual([]);
  });
});

test('what joins while it runs is planned too, and a graver severity is told', async () => {
  const world = createIncidentWorld();
  await world.open({ severity: 'Medium', score: 40 });
  await drive(world);
  world.roles.push(aRole({ id: '00000000-0000-4000-8000-0000000f0002', scope: '/keys' }));
  const more = aFinding({
    detector: 'role-assignment',
    score: 80,
    severity: 'Critical',
    foundAt: world.now.value.toISOString(),
  });
  await joinOne(world, more, 'detection');
  await drive(world);
  expect(Object.keys(await stepsOf(world))).toContain('revoke-keys-00000000-0000-4000-8000-0000000f0002');
  expect(world.starter.started.map(({ id }) => id).filter((id) => id.includes('raised'))).toHaveLength(1);
});

test('evidence of a key that joins is kept before anything is done about it, once, and no more for one only named', async () => {
  const world = createIncidentWorld();
  await world.setPolicy({ ...AUTO, mode: 'rotate' });
  await world.open({ keysUsed: ['orders'] });
  await drive(world);
  world.fakeKeys.set('wages', { ...world.fakeKeys.get('orders'), versions: [aKey({ name: 'wages' })] } as never);
  const foundAt = () => world.now.value.toISOString();
  const join = (keys: string[], keysUsed: string[]) =>
    joinOne(world, aFinding({ keys, keysUsed, foundAt: foundAt(), detector: 'volume' }), 'detection');
  await join(['wages'], ['wages']);
  const { names } = await drive(world, { repeat: true });
  const [evidence, plan] = [names.indexOf('collectEvidence'), names.indexOf('planIncident')];
  expect([evidence, plan].every((index) => index >= 0) && evidence < plan).toBe(true);
  const { evidence: kept } = await world.incident();
  expect(kept?.more).toMatchObject([{ keys: ['wages'], manifest: expect.stringContaining('/more-1/manifest.json') }]);
  expect(world.stored.has(`evidence/${kept?.more?.[0]?.manifest.replace('manifest', 'key-wages')}`)).toBe(true);
  await join(['named'], []);
  expect((await drive(world)).names).not.toContain('collectEvidence');
});

test('the log is asked once for all keys of an incident, and what it does not hold is said to be unknown', async () => {
  const world = createIncidentWorld();
  await world.setPolicy(AUTO);
  const names = ['invoices', 'orders', 'wages'];
  for (const name of names)
    world.fakeKeys.set(name, { ...world.fakeKeys.get('orders'), versions: [aKey({ name })] } as never);
  const asked: string[][] = [];
  const log = world.auditLog as NonNullable<IncidentWorld['auditLog']>;
  log.versionUse = async (question) => {
    asked.push(question.keys.map(({ name }) => name));
    const answer = everyKey([])(question);
    return new Map([...answer].filter(([name]) => name !== 'wages'));
  };
  await world.open({ keys: names });
  await drive(world);
  expect(asked.map((keys) => keys.join())).toEqual([names.join()]);
  const shown = (await world.incident()).plan?.flatMap((step) => (step.kind === 'rotate' ? step.shown : []));
  expect(shown).toContain('Nobody used invoices in the last 30 days.');
  expect(shown).toContain('Who uses wages is not known: the log could not be asked.');
});

test('the log out of reach delays nothing for long: it becomes a gap that is said', async () => {
  const world = createIncidentWorld();
  await world.setPolicy(AUTO);
  const log = world.auditLog as NonNullable<IncidentWorld['auditLog']>;
  for (const name of ['sensitiveCalls', 'refusedCalls', 'keyUse', 'controlPlane', 'versionUse'] as const) {
    log[name] = (async () => {
      throw outOfReach();
    }) as never;
  }
  await world.open(newGrant());
  await drive(world, { forMs: HOUR });
  expect(world.changes).toEqual([`unassign ${aRole().id}`]);
  const { evidence } = await world.incident();
  expect(evidence?.gaps.join()).toContain('sensitive calls: out of reach');
  expect(evidence?.spans).toBe(false);
});

test('detection is asked to look harder for the caller and the keys, for as long as the policy says', async () => {
  const world = createIncidentWorld();
  const { id } = await world.open();
  await drive(world);
  const watch = await world.documents.read<HarderWatch>('state', `detection/contoso/watches/${id}.json`);
  expect(watch?.value).toMatchObject({ caller: MALLORY, keys: ['orders'], until: '2030-01-04T00:00:00.000Z' });
});

test('what stood around the HSM before is evidence, and a setting that is gone is a step with its command', async () => {
  const world = createIncidentWorld();
  const opened = world.now.value.getTime();
  const at = (minutes: number) => new Date(opened + minutes * 60_000).toISOString();
  const network = { publicAccess: false, defaultAction: 'Deny', allowedRanges: [], privateEndpoints: [] } as const;
  const setting = {
    ...{ name: 'key-lifecycle', workspaceId: '/w', dedicated: true, metrics: [] },
    logs: [{ category: 'AuditEvent', enabled: true }],
  };
  const sighted = {
    network: [{ from: at(-600), until: at(-5), value: network }],
    diagnostics: [{ from: at(-600), until: at(-5), value: [setting] }],
  } as never;
  await propose(world.documents, 'contoso', 'j', {
    ...{ schema: 1, hoursTo: at(-60), memory: emptyMemory(), judged: {}, sighted, stored: {} },
  });
  await commitJudgement(world.documents, 'contoso', 'j', at(-5));
  const open = { ...network, publicAccess: true, allowedRanges: ['203.0.113.0/24'] };
  world.detection = {
    configuration: { settings: async () => ({}) },
    resources: { read: async () => ({ network: open }) },
    diagnostics: { list: async () => [] },
  } as never;
  await world.open();
  await drive(world);
  const { evidence, plan } = await world.incident();
  const record = async (name: string) =>
    (await world.documents.read<{ content: unknown }>('evidence', `${evidence?.manifest.replace('manifest', name)}`))
      ?.value.content;
  expect(await record('network')).toMatchObject({
    before: { until: at(-5), value: network },
    now: open,
    since: [{ value: open }],
  });
  expect(await record('diagnostic-settings')).toMatchObject({ before: { value: [setting] }, now: [] });
  const step = plan?.find(({ id }) => id === 'person-logging-key-lifecycle');
  expect(step?.commands[0]).toMatch(/^az monitor diagnostic-settings create --name 'key-lifecycle' --resource /);
});

test('surroundings that nothing reads are listed as not collected', async () => {
  const world = createIncidentWorld();
  await world.open();
  await drive(world);
  expect((await world.incident()).evidence?.absent).toEqual([
    'network rules: nothing reads them here',
    'diagnostic settings: nothing reads them here',
    'sign-in logs: the workspace has no table SigninLogs',
    'sign-in logs: the workspace has no table AADServicePrincipalSignInLogs',
    'sign-in logs: the workspace has no table AADManagedIdentitySignInLogs',
  ]);
});

test.each<[string, Partial<Finding>, string[]]>([
  ['a caller', {}, [MALLORY.oid]],
  ['a caller that is no object id', { caller: { oid: 'x" | take 1' } }, []],
  ['a key alone', { caller: { oid: '' } }, []],
])('sign-ins of %s are looked for from a day before the first call', async (_title, finding, asked) => {
  const world = createIncidentWorld();
  const seen: string[][] = [];
  const log = world.auditLog as NonNullable<IncidentWorld['auditLog']>;
  log.signIns = async (...window) => {
    seen.push(window);
    return { tables: ['SigninLogs'], signIns: [], more: false };
  };
  await world.open({ from: '2029-12-31T12:00:00.000Z', ...finding });
  await drive(world);
  expect(seen.map(([who]) => who)).toEqual(asked);
  expect(seen.map(([, after]) => after)).toEqual(asked.map(() => '2029-12-30T12:00:00.000Z'));
  const { evidence } = await world.incident();
  const kept = world.stored.has(`evidence/${evidence?.manifest.replace('manifest', 'sign-ins')}`);
  expect(kept).toBe(asked.length > 0);
  expect(evidence?.absent?.some((line) => line.startsWith('sign-in logs'))).toBe(true);
});

describe('the end', () => {
  const settled = async (world: IncidentWorld, verdict: 'confirmed' | 'benign') => {
    const { id } = await world.incident();
    const at = world.now.value.toISOString();
    await changeIncident(world, id, (current) => ({
      ...current,
      verdict: { verdict, by: 'ana', at, note: 'looked at' },
    }));
  };

  test('comes by itself once a person said what it was, every step is settled and the watch has passed', async () => {
    const world = createIncidentWorld();
    await world.setPolicy(AUTO);
    await world.open(newGrant());
    await drive(world);
    await settled(world, 'confirmed');
    const people = (await world.incident()).plan?.filter(({ doneBy }) => doneBy === 'people') ?? [];
    for (const { id: step } of people) {
      const { id } = await world.incident();
      const done = {
        by: 'ana',
        name: 'Ana',
        at: world.now.value.toISOString(),
        decision: 'done',
        note: 'checked',
      } as const;
      await changeIncident(world, id, (current) => decideStep(current, step, done));
    }
    expect((await drive(world, { forMs: 71 * HOUR })).ended).toBe('waits');
    expect((await drive(world, { forMs: 12 * HOUR })).ended).toBe('closed');
    const incident = await world.incident();
    const report = await world.documents.read<IncidentReport>('evidence', `${incident.closed?.report}.json`);
    expect(report?.value).toMatchObject({ verdict: 'confirmed', containment: { kind: 'full' } });
    expect(report?.value.watch).toMatchObject({ of: [MALLORY.upn, 'key orders'], until: incident.watchUntil });
    expect(await readWatches(world, 'contoso', new Date(0))).toEqual([]);
    expect(world.stored.has(`evidence/${incident.closed?.report}.html`)).toBe(true);
    expect(world.published.map(({ type }) => type)).toEqual(['IncidentOpened', 'IncidentContained', 'IncidentClosed']);
  });

  test.each([
    ['somebody’s work is watched no longer', 'benign', 0],
    ['a watch that lasts outlives an incident that is only observed', undefined, 1],
  ] as const)('%s', async (_title, verdict, left) => {
    const world = createIncidentWorld();
    await world.setPolicy({ classes: { misuse: 'observe' }, watch: 'P9D' });
    await world.open();
    await drive(world);
    if (verdict) await settled(world, verdict);
    expect((await drive(world, { forMs: 30 * HOUR })).ended).toBe('closed');
    expect(await readWatches(world, 'contoso', world.now.value)).toHaveLength(left);
  });

  test('a finding within a week opens it again, with a new round that begins from the start', async () => {
    const world = createIncidentWorld();
    await world.setPolicy({ classes: { misuse: 'observe' } });
    const first = await world.open();
    expect((await drive(world, { forMs: 30 * HOUR })).ended).toBe('closed');
    expect(world.starter.started.filter(({ name }) => name === 'deliverNotification')).toEqual([]);
    const again = await joinOne(world, aFinding({ foundAt: world.now.value.toISOString() }), 'detection');
    expect(again).toMatchObject({ opened: true, incident: { id: first.id, round: 2, status: 'open' } });
    await drive(world);
    expect((await incidentOf(world, first.id)).evidence?.round).toBe(2);
  });
});
