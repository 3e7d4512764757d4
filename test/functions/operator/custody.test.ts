import { createPrivateKey } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CustodyLedger } from '../../../functions/activities/custody-ledger.ts';
import { aWrappingCertificate } from '../../support/certificates.ts';
import { ask } from '../../support/operator.ts';
import { createFakeWorld, type FakeWorld } from '../../support/world.ts';

type Certified = Awaited<ReturnType<typeof aWrappingCertificate>>;

let holders: Certified[];
let world: FakeWorld;

beforeAll(async () => {
  holders = await Promise.all(['Ada', 'Bob', 'Eve'].map((name) => aWrappingCertificate(name)));
});

beforeEach(() => {
  world = createFakeWorld();
});

const params = { hsm: 'contoso' };
const fingerprints = () => holders.map(({ fingerprint }) => fingerprint);
const pems = () => holders.map(({ pem }) => pem).join('\n');
const register = () => ask(world, 'recordCertificates', { params, body: { pem: pems() } });
const state = (body: unknown, rest: object = {}) => ask(world, 'recordCustodyFact', { params, body, ...rest });
const ledger = () =>
  JSON.parse(world.stored.get('state/custody/security-domain-of-contoso/ledger.json')?.text ?? '{}') as CustodyLedger;

async function recordDomain() {
  await register();
  await state({ kind: 'SecurityDomainRecorded', hsms: ['contoso'], quorum: 2, certificates: fingerprints() });
}

describe('certificates', () => {
  test('are read from PEM, entered once, and noted in the journal', async () => {
    expect((await register()).status).toBe(201);
    const again = await register();
    expect(again).toMatchObject({ status: 200, body: { recorded: 0 } });
    expect(ledger().facts.map(({ kind }) => kind)).toEqual(Array(3).fill('CertificateRegistered'));
    expect(ledger().facts[0]).toMatchObject({
      certificate: { fingerprint: fingerprints()[0], keySize: 2048 },
      by: 'Omar Operator (oid-omar)',
    });
    const noted = world.journalled.filter((entry) => entry.class === 'custody.record');
    expect(new Set(noted.map(({ id }) => id)).size).toBe(3);
    expect(noted[0]).toMatchObject({ kind: 'note', hsm: 'contoso', cause: 'oid-omar' });
  });

  test('are shown and not entered for a dry run', async () => {
    const got = await ask(world, 'recordCertificates', { params, query: { dryRun: 'true' }, body: { pem: pems() } });
    expect(got).toMatchObject({ status: 200, body: { dryRun: true } });
    expect(world.stored.size).toBe(0);
    expect(world.journalled).toEqual([]);
  });

  test('are refused when the file holds anything else', async () => {
    const got = await ask(world, 'recordCertificates', { params, body: { pem: `${pems()}\nand a note` } });
    expect(got).toMatchObject({ status: 400, body: { code: 'InvalidRequest', errors: [{ field: 'body pem' }] } });
  });
});

describe('facts', () => {
  test('add up to the status of the HSM', async () => {
    await recordDomain();
    for (const [index, name] of ['Ada', 'Bob', 'Eve'].entries()) {
      const to = { name, place: ['Berlin', 'Hamburg', 'Munich'][index] };
      await state({ kind: 'ShareHandedOver', certificate: fingerprints()[index], to, witness: 'Carol' });
    }
    const { body } = await ask(world, 'showCustody');
    expect(body).toMatchObject({
      hsms: [
        {
          hsm: 'contoso',
          quorum: { state: 'safe', text: 'Three of three reachable, need two.' },
          shares: [{ holder: { name: 'Ada', place: 'Berlin' }, reach: 'reachable' }, {}, {}],
          review: { state: 'never' },
        },
      ],
    });
  });

  test('name the lineage of every HSM that shares the domain', async () => {
    await register();
    const hsms = ['contoso', 'contoso-drill'];
    await state({ kind: 'SecurityDomainRecorded', hsms, quorum: 2, certificates: fingerprints() });
    expect(JSON.parse(world.stored.get('state/custody/contoso-drill/lineage.json')?.text ?? '{}')).toEqual({
      schema: 1,
      lineage: 'security domain of contoso',
    });
  });

  test('cannot take an HSM away from the domain that its own ledger names', async () => {
    world.hsms.push({ ...(world.hsms[0] as (typeof world.hsms)[0]), name: 'fabrikam' });
    await ask(world, 'recordCertificates', { params: { hsm: 'fabrikam' }, body: { pem: holders[0]?.pem } });
    await register();
    const hsms = ['contoso', 'fabrikam'];
    const got = await state({ kind: 'SecurityDomainRecorded', hsms, quorum: 2, certificates: fingerprints() });
    expect(got).toMatchObject({ status: 400, body: { errors: [{ field: 'body hsms' }] } });
  });

  test('about certificates that nobody registered are refused', async () => {
    const certificates = ['a', 'b', 'c'].map((letter) => letter.repeat(64));
    const got = await state({ kind: 'SecurityDomainRecorded', hsms: ['contoso'], quorum: 2, certificates });
    expect(got).toMatchObject({ status: 400, body: { errors: [{ field: 'body certificates' }] } });
  });

  test('sent again with their Idempotency-Key are the same fact', async () => {
    await recordDomain();
    const sighting = { kind: 'ShareSighted', certificate: fingerprints()[0] };
    const first = await state(sighting, { idempotencyKey: 'sighting-2030-01' });
    world.now.value = new Date('2030-01-02T00:00:00Z');
    const second = await state(sighting, { idempotencyKey: 'sighting-2030-01' });
    expect([first.status, second.status]).toEqual([201, 200]);
    const other = await state({ kind: 'Reviewed' }, { idempotencyKey: 'sighting-2030-01' });
    expect(other.status).toBe(409);
    expect(ledger().facts.filter(({ kind }) => kind === 'ShareSighted')).toHaveLength(1);
  });

  test('are refused with every faulty field named, and nothing of what was sent repeated', async () => {
    await recordDomain();
    const got = await state({ kind: 'ShareHandedOver', certificate: 'nonsense', to: { name: '' }, colour: 'mauve' });
    expect(got.status).toBe(400);
    const { errors } = got.body as { errors: { field: string }[] };
    expect(errors.map(({ field }) => field)).toEqual(
      expect.arrayContaining(['body certificate', 'body to.name', 'body to.place', 'body colour']),
    );
    expect(got.said).not.toContain('nonsense');
    expect(got.said).not.toContain('mauve');
  });

  test('do not say who states them: the sign-in does', async () => {
    const got = await state({ kind: 'Reviewed', by: 'somebody else' });
    expect(got).toMatchObject({ status: 400, body: { errors: [{ field: 'body by', rule: 'is set by the app' }] } });
  });
});

describe('private key material', () => {
  /** What a person may take for the right file. */
  const wrappings: Record<string, (key: Certified) => string> = {
    'PKCS#8': ({ privatePem }) => privatePem,
    'PKCS#1': ({ privatePem }) => createPrivateKey(privatePem).export({ type: 'pkcs1', format: 'pem' }).toString(),
    'encrypted PKCS#8': ({ privatePem }) =>
      createPrivateKey(privatePem)
        .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
        .toString(),
    JWK: ({ privatePem }) => JSON.stringify(createPrivateKey(privatePem).export({ format: 'jwk' })),
    'base64 of DER': ({ privateDer }) => privateDer.toString('base64'),
    'base64url of DER': ({ privateDer }) => privateDer.toString('base64url'),
    'hex of DER': ({ privateDer }) => privateDer.toString('hex'),
    'base64 of PEM': ({ privatePem }) => Buffer.from(privatePem).toString('base64'),
    'gzip in base64': ({ privateDer }) => gzipSync(privateDer).toString('base64'),
    'the lines between the marks': ({ privatePem }) => privatePem.split('\n').slice(1, -2).join('\n'),
    'a line from its middle': ({ privatePem }) => privatePem.split('\n')[8] ?? '',
    'a certificate with its key': ({ pem, privatePem }) => `${pem}\n${privatePem}`,
  };
  /** Where it may stand in what is sent. */
  const places: Record<string, (text: string) => Parameters<typeof ask>[2] & { operation: string }> = {
    pem: (text) => ({ operation: 'recordCertificates', body: { pem: text } }),
    'a member beside pem': (text) => ({ operation: 'recordCertificates', body: { pem: 'x', key: text } }),
    'the name of a member': (text) => ({ operation: 'recordCertificates', body: { pem: 'x', [text]: 1 } }),
    'the whole body': (text) => ({ operation: 'recordCertificates', body: text }),
    'the reason of a loss': (text) => ({
      operation: 'recordCustodyFact',
      body: { kind: 'ShareLost', certificate: holders[0]?.fingerprint, reason: text },
    }),
    'the place of a holder': (text) => ({
      operation: 'recordCustodyFact',
      body: { kind: 'ShareHandedOver', certificate: holders[0]?.fingerprint, to: { name: 'Ada', place: text } },
    }),
    'the kind of a fact': (text) => ({ operation: 'recordCustodyFact', body: { kind: text } }),
    'a list': (text) => ({ operation: 'recordCustodyFact', body: { kind: 'Reviewed', hsms: [text, [text]] } }),
    'a nested member': (text) => ({
      operation: 'recordCustodyFact',
      body: { kind: 'Reviewed', a: { b: { c: text } } },
    }),
    'the name of a query parameter': (text) => ({
      operation: 'recordCustodyFact',
      query: { [text]: 'x' },
      body: { kind: 'Reviewed' },
    }),
  };

  /** Any run of sixteen characters of the key, as it may have been cut, wrapped or escaped. */
  function piecesOf(text: string): string[] {
    const runs = text.match(/[A-Za-z0-9+/_-]{16,}/g) ?? [];
    return runs.flatMap((run) => [
      run.slice(0, 16),
      run.slice(-16),
      run.slice(run.length >> 1, (run.length >> 1) + 16),
    ]);
  }

  test('is refused in every wrapping at every place, and nothing of it is stored, journaled, logged or answered', async () => {
    await recordDomain();
    const publicText = pems().replaceAll('\n', '') + fingerprints().join('');
    const stored = JSON.stringify([...world.stored]);
    const journalled = JSON.stringify(world.journalled);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.entries(wrappings)),
        fc.constantFrom(...Object.entries(places)),
        fc.nat(2),
        async ([, wrap], [, put], index) => {
          const text = wrap(holders[index] as Certified);
          const { operation, ...sent } = put(text);
          const got = await ask(world, operation as 'recordCertificates', { params, ...sent });
          expect([400, 422]).toContain(got.status);
          // PEM marks say nothing, and the certificate is public.
          const secret = piecesOf(text).filter((piece) => !publicText.includes(piece) && !piece.startsWith('----'));
          for (const piece of secret) expect(got.said).not.toContain(piece);
          expect(JSON.stringify([...world.stored])).toBe(stored);
          expect(JSON.stringify(world.journalled)).toBe(journalled);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is named as what it is, with the next step for an exposed share', async () => {
    const got = await ask(world, 'recordCertificates', { params, body: { pem: holders[0]?.privatePem } });
    expect(got).toMatchObject({ status: 422, body: { code: 'PrivateMaterial' } });
    expect(String(got.body.nextStep)).toContain('treat the share as exposed');
  });

  test('is refused by every other route as well', async () => {
    const got = await ask(world, 'requestRotation', {
      params: { ...params, name: 'orders' },
      body: { reason: holders[0]?.privatePem.slice(0, 400) },
    });
    expect(got.status).toBe(422);
  });
});
