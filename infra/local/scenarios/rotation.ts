import { startEstate } from '../estate-run.ts';
import { IDENTITIES } from '../identity/registrations.ts';
import { theJournalIsUnbroken } from './journal.ts';
import { createObserver, MORNING, type Observer } from './observer.ts';
import type { Story } from './story.ts';

const DAY_MS = 86_400_000;

/**
 * Real keys approach expiry, rotate, are proven, and their owners are told; then everything that may go wrong goes wrong:
 * repeated, forged and foreign events, a host that dies in the middle, a lost answer, a missing permission, a broken policy.
 */
export async function rotation(story: Story): Promise<void> {
  const estate = await story.step('The embedded estate boots with the demo keys', async (say) => {
    const running = await startEstate({ seed: 'demo', port: 0, startAt: MORNING });
    const count = running.hsms.reduce((sum, hsm) => sum + hsm.keys().keys.length, 0);
    say(`${running.hsms.length} Managed HSMs, ${count} keys; the app is the built bundle.`);
    return running;
  });
  const look = createObserver(estate);
  try {
    await sweepTellsAndRotates(story, look);
    await eventsCannotHarm(story, look);
    await deathCannotDouble(story, look);
    await aLostAnswerCannotDouble(story, look);
    await operatorRotates(story, look);
    await nativeRotationIsProvenToo(story, look);
    await aMissingPermissionIsAnInstruction(story, look);
    await aBrokenPolicyChangesNothing(story, look);
    await theJournalIsUnbroken(story, look);
  } finally {
    await estate.stop();
  }
}

async function sweepTellsAndRotates(story: Story, look: Observer): Promise<void> {
  const before = look.versions();
  await story.step('One sweep finds what is due and rotates it', async (say) => {
    await look.run('expirySweepTimer');
    const rotated = look.grown(before);
    for (const { key, by } of rotated) say(`${key.padEnd(38)} +${by} version`);
    story.claim(rotated.length >= 15, `at least 15 keys were due; ${rotated.length} rotated`);
    story.claim(
      rotated.every(({ by }) => by === 1),
      'each due key got exactly one new version',
    );
  });
  await story.step('What must be left alone was left alone', async (say) => {
    for (const [name, why] of [
      ['sql-tde-migration', 'held by tag'],
      ['audit-evidence-2024', 'held until 2099'],
      ['trading-cold-store', 'disabled'],
      ['visa-scheme-key', 'imported: its owner is reminded'],
      ['payments-hsm-transport', 'fresh'],
    ] as const) {
      story.claim(!look.grown(before).some(({ key }) => key === `contoso/${name}`), `${name} must not rotate: ${why}`);
      say(`${name.padEnd(26)} ${why}`);
    }
  });
  await story.step('Owners were told by name, and events were published', async (say) => {
    const told = look.mailAbout('payments-card-pan');
    story.claim(told.length === 1, `the owner of payments-card-pan got exactly one mail, not ${told.length}`);
    say(`mail to ${told[0]?.to.join(', ')}: ${told[0]?.subject}`);
    const events = look.events('KeyNewVersionCreated');
    story.claim(events.length >= 15, 'each rotation was published');
    say(
      `${look.events('KeyNearExpiry').length} KeyNearExpiry, ${look.events('KeyExpired').length} KeyExpired, ${events.length} KeyNewVersionCreated`,
    );
  });
  story.proven('Every due key got exactly one new version; it was used before it counted, and its owner was told.');
}

async function eventsCannotHarm(story: Story, look: Observer): Promise<void> {
  await story.step('Repeated, late, forged and foreign events have no effect', async (say) => {
    const before = look.versions();
    const [published] = look.events('KeyNearExpiry');
    if (!published) throw new Error('no event to repeat');
    look.repeat(published, 50);
    const evil = '/subscriptions/evil/providers/Microsoft.KeyVault/managedHSMs/contoso';
    look.forge(published, { id: 'forged-1', source: evil });
    look.forge(published, { id: 'forged-2', subject: 'keys/another-key' });
    look.forge(published, { id: 'forged-3', data: { nonsense: '<script>' } });
    await look.settled();
    story.claim(look.grown(before).length === 0, 'no key changed');
    say('50 repeats of an old event and 3 forgeries: no key changed.');
  });
  story.proven('Stale, duplicate, forged and foreign events change nothing.');
}

async function deathCannotDouble(story: Story, look: Observer): Promise<void> {
  await story.step('The host is killed again and again while it rotates', async (say) => {
    const names = await look.plantDue('crash', 6);
    const before = look.versions();
    await look.estate.runTimer('expirySweepTimer');
    for (let kill = 1; kill <= 4; kill++) {
      await look.pause(150 + kill * 130);
      await look.killHost();
    }
    await look.settled();
    const grown = look.grown(before).filter(({ key }) => names.includes(key));
    story.claim(grown.length === names.length, `all ${names.length} keys rotated; ${grown.length} did`);
    story.claim(
      grown.every(({ by }) => by === 1),
      'none rotated twice',
    );
    say(`killed 4 times with SIGKILL; ${names.length} keys, ${names.length} new versions.`);
  });
  story.proven('A crash at any moment neither loses nor doubles a rotation.');
}

async function aLostAnswerCannotDouble(story: Story, look: Observer): Promise<void> {
  await story.step('The answer to a rotation is lost after it took effect', async (say) => {
    const [name] = await look.plantDue('lost-answer', 1);
    const before = look.versions();
    look.estate.estate.faults.add({ service: 'hsm', operation: 'KeyRotate', lostReply: 'after', count: 1 });
    await look.run('expirySweepTimer');
    const grown = look.grown(before).find(({ key }) => key === name);
    story.claim(grown?.by === 1, 'one new version, although the caller could not know');
    say('The app waited until the call could no longer take effect, looked, and found its own version.');
  });
  story.proven('A lost answer is looked into, never sent again blindly.');
}

async function operatorRotates(story: Story, look: Observer): Promise<void> {
  await story.step('An operator rotates a key that is not due, after suspected exposure', async (say) => {
    const before = look.versions();
    const path = '/api/keys/contoso/ehr-notes/rotation';
    const bad = await look.api('POST', path, { as: 'operator', body: { raeson: 'typo' } });
    story.claim(bad.status === 400, 'a misspelt field is refused');
    say(`refused first: ${(bad.body as { detail: string }).detail}`);
    const viewer = await look.api('POST', path, { as: 'viewer', body: { reason: 'curious' } });
    story.claim(viewer.status === 403, 'a viewer may not');
    const asked = {
      as: 'operator',
      body: { reason: 'key reference was pasted into a ticket' },
      idempotencyKey: 'ticket-4711-a',
    } as const;
    const first = await look.api('POST', path, asked);
    const again = await look.api('POST', path, asked);
    story.claim(first.status === 202 && again.status === 202, 'accepted, and a repeat is the same request');
    const outcome = await look.operation(first.headers.location ?? '');
    story.claim(outcome.kind === 'rotated', `rotated, not ${JSON.stringify(outcome)}`);
    await look.settled();
    story.claim(
      look.grown(before).find(({ key }) => key === 'contoso/ehr-notes')?.by === 1,
      'one new version for two requests',
    );
    say('asked twice with one Idempotency-Key: one new version, proven.');
  });
  story.proven('An operator rotates on demand by the same path; asking twice is asking once.');
}

async function nativeRotationIsProvenToo(story: Story, look: Observer): Promise<void> {
  await story.step('Days pass, and the HSM rotates a key by its own policy', async (say) => {
    await look.run('expirySweepTimer');
    const before = look.versions();
    look.advance(4 * DAY_MS);
    await look.until(
      () => look.grown(before).some(({ key }) => key === 'contoso/aks-etcd-prod'),
      'the HSM to rotate by itself',
    );
    await look.run('expirySweepTimer');
    const told = look.mailAbout('aks-etcd-prod').filter(({ subject }) => subject.includes('rotated by the HSM'));
    story.claim(told.length === 1, `its owner was told once, not: ${told.map(({ subject }) => subject).join('; ')}`);
    story.claim(
      look.grown(before).every(({ key, by }) => key !== 'contoso/aks-etcd-prod' || by === 1),
      'nobody rotated it again',
    );
    say(`mail to ${told[0]?.to.join(', ')}: ${told[0]?.subject}`);
  });
  story.proven("The HSM's own rotations are proven and told like ours.");
}

async function aMissingPermissionIsAnInstruction(story: Story, look: Observer): Promise<void> {
  await story.step('A permission is missing, and the mail says which and how to grant it', async (say) => {
    await look.plantDue('no-permission', 1);
    const restore = await look.withoutAction(IDENTITIES.rotate.objectId, 'keys/rotate/action');
    await look.run('expirySweepTimer');
    const told = look.mailAbout('no-permission-0');
    const text = told.map((mail) => mail.text).join('\n');
    story.claim(text.includes('Microsoft.KeyVault/managedHsm/keys/rotate/action'), 'the mail names the data action');
    story.claim(text.includes('az keyvault role assignment create'), 'the mail gives the command');
    story.claim(!/\bat .*\.js:\d+/.test(text), 'the mail has no stack trace');
    say(told[0]?.subject ?? '');
    await restore();
    look.advance(DAY_MS / 4);
    await look.run('expirySweepTimer');
    story.claim(look.mailAbout('no-permission-0').length === 2, 'once granted, the next sweep rotated it and told');
  });
  story.proven('Least privilege: what is missing is named with data action, scope, identity and command.');
}

async function aBrokenPolicyChangesNothing(story: Story, look: Observer): Promise<void> {
  await story.step('A policy document that does not parse changes nothing and is told', async (say) => {
    const [name] = await look.plantDue('after-bad-policy', 1);
    const before = look.versions();
    await look.writePolicy('{ "version": 1, "defaults": { "rotation": { "before": "30 days" } } }');
    await look.run('expirySweepTimer');
    story.claim(look.grown(before).find(({ key }) => key === name)?.by === 1, 'the last good policy stayed in force');
    const told = look.mail().filter((mail) => /policy/i.test(mail.subject) && mail.text.includes('rotation.before'));
    story.claim(told.length > 0, 'its author was told which field is wrong');
    say(told[0]?.subject ?? '');
  });
  story.proven('A policy that does not parse leaves the last good one in force.');
}
