import { X509Certificate } from 'node:crypto';
import { IDENTITIES } from '../identity/registrations.ts';
import { downloadBody, recipientsOf } from '../managed-hsm/security-domain/wrapping-certificates.ts';
import { downloadRequest, holdCeremony } from '../security-domain-offline/ceremony.ts';
import { restoreBlob } from '../security-domain-offline/restore-blob.ts';
import type { Observer } from './observer.ts';

/** What the holders of a security domain keep away from the app: their private keys, and the file that two of them open. */
export interface Holders {
  privateKeysPem: string[];
  securityDomain: string;
}

const PEOPLE = ['Ada', 'Grace', 'Edsger'];
const PLACES = ['Berlin', 'Hamburg', 'Munich'];
const QUORUM = 2;

/** The ceremony of the security domain that these HSMs share, and what the ledger of the first one learns of it. */
export async function holdDomain(look: Observer, hsms: readonly [string, ...string[]]): Promise<Holders> {
  const keys = await holdCeremony(PEOPLE, { now: look.estate.estate.clock.now() });
  const pems = keys.map(({ certificatePem }) => certificatePem);
  const source = look.estate.hsms.find(({ name }) => name === hsms[0]);
  if (!source) throw new Error(`the estate has no HSM ${hsms[0]}`);
  const record = (what: 'certificates' | 'facts', body: object) => recordOf(look, hsms[0], what, body);
  const recipients = recipientsOf(downloadBody.parse(downloadRequest(pems, QUORUM)));
  const securityDomain = await source.domainService.download(recipients, QUORUM);
  await record('certificates', { pem: pems.join('\n') });
  const certificates = pems.map((pem) => new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase());
  await record('facts', { kind: 'SecurityDomainRecorded', hsms, quorum: QUORUM, certificates });
  for (const [index, certificate] of certificates.entries()) {
    const to = { name: PEOPLE[index], place: PLACES[index] };
    await record('facts', { kind: 'ShareHandedOver', certificate, to, witness: 'Barbara' });
  }
  await record('facts', { kind: 'FileStored', copy: 'copy-1', place: 'Berlin' });
  await record('facts', { kind: 'Reviewed' });
  return { privateKeysPem: keys.map(({ privateKeyPem }) => privateKeyPem), securityDomain };
}

async function recordOf(look: Observer, hsm: string, what: 'certificates' | 'facts', body: object): Promise<void> {
  const answer = await look.api('POST', `/api/custody/${hsm}/${what}`, { as: 'operator', body });
  if (answer.status !== 201) throw new Error(`not recorded: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** Two of them come together on a machine without a network, and wrap the domain for the exchange key of a recovery. */
export async function wrapFor(look: Observer, holders: Holders, recovery: string): Promise<string> {
  const { status, body } = await look.api('GET', `/api/recoveries/${recovery}`, { as: 'viewer' });
  const { exchangeKey } = body as { exchangeKey: { key: string } | null };
  if (status !== 200 || !exchangeKey) throw new Error(`${recovery} has no exchange key yet`);
  const transferKey = JSON.parse(exchangeKey.key) as { x5c: string[] };
  const { securityDomain, privateKeysPem } = holders;
  return restoreBlob({
    securityDomain,
    privateKeysPem: [privateKeysPem[0] ?? '', privateKeysPem[2] ?? ''],
    transferKey,
  });
}

/** A person reports a step; the approval of a cost is another person's. */
export async function report(look: Observer, recovery: string, step: string, body: object): Promise<number> {
  const as = step === 'approveCost' ? 'approver' : 'operator';
  return (await look.api('POST', `/api/recoveries/${recovery}/steps/${step}`, { as, body })).status;
}

/** Everything that the people of a rehearsal do, when they are waited for. */
export async function playHolders(look: Observer, holders: Holders, recovery: string, step: string): Promise<number> {
  if (step !== 'upload') return report(look, recovery, step, { evidence: `${step}, as agreed` });
  return report(look, recovery, step, {
    evidence: 'from the offline machine',
    blob: await wrapFor(look, holders, recovery),
  });
}

/** Makes the drills of contoso restore to an HSM that each of them makes and removes. */
export const temporaryPolicy = (changes: object = {}): string =>
  JSON.stringify({
    version: 1,
    keys: [{ match: '*', rotation: { mode: 'off' } }],
    backup: { mode: 'off' },
    drills: {
      mode: 'off',
      target: { kind: 'temporary', region: 'northeurope', softDeleteDays: 7 },
      administratorIds: [IDENTITIES.restore.objectId],
      ...{ holdersWithin: 'P5D', pricePerHour: 3.42, currency: 'USD', budget: 900 },
      ...changes,
    },
    geography: { regions: ['westeurope', 'northeurope'] },
    owners: { fallback: ['key-custodians@contoso.example'] },
  });
