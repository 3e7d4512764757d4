import type * as z from 'zod';
import { type InputFault, judgeCustodyInput } from '../../shared/custody/judge-input.ts';
import { type CustodyFact, foldCustody } from '../../shared/custody/ledger.ts';
import { appendCustodyFacts, readCustodyFacts } from '../activities/custody-ledger.ts';
import { securityDomainOf } from '../activities/security-domain-lineage.ts';
import { hex, utf8 } from '../activities/text.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';
import type { Caller } from './authorise.ts';
import { type FieldFault, ProblemError } from './problem.ts';
import { refuseSecrets, secretRefused, shownName } from './refuse-secrets.ts';
import type { custodyCertificates, custodyFact } from './routes.ts';
import { custodyStatus } from './show-custody.ts';

interface Asked {
  hsm: string;
  dryRun: boolean;
  idempotencyKey?: string;
}

/** Reads wrapping certificates and enters what they say of themselves. The file itself is not kept. */
export async function recordCertificates(
  world: World,
  caller: Caller,
  { hsm, dryRun, pem }: Asked & z.infer<typeof custodyCertificates>,
): Promise<Answer> {
  const reading = world.certificates.read(utf8(pem));
  if (reading.kind === 'privateKey') throw secretRefused();
  if (reading.kind === 'unreadable') {
    throw invalid([{ field: 'body pem', rule: `must hold PEM certificates and nothing else: ${reading.reason}` }]);
  }
  const { securityDomain, custody } = await ledgerOf(world, hsm);
  const now = world.clock.now();
  const judged = reading.certificates.map(({ thumbprint, subject, notBefore, notAfter, keyType, keyBits }) => {
    const stated = {
      kind: 'CertificateRegistered',
      id: `certificate-${thumbprint}`,
      ...{ securityDomain, at: now.toISOString(), by: named(caller) },
      certificate: { fingerprint: thumbprint, subject, notBefore, notAfter, keySize: keyType === 'RSA' ? keyBits : 0 },
    };
    // A subject is free text as well.
    refuseSecrets(stated.certificate, { strict: true });
    return judgeCustodyInput(stated, custody, now);
  });
  return enter(world, caller, { hsm, securityDomain, dryRun }, judged);
}

/** Enters one fact: who holds a share, who saw it, what was lost, found, stored or reviewed. */
export async function recordCustodyFact(
  world: World,
  caller: Caller,
  { hsm, dryRun, idempotencyKey, fact }: Asked & { fact: z.infer<typeof custodyFact> },
): Promise<Answer> {
  const set = OURS.filter((name) => Object.hasOwn(fact, name));
  if (set.length > 0) throw invalid(set.map((name) => ({ field: `body ${name}`, rule: 'is set by the app' })));
  if (world.certificates.read(utf8(JSON.stringify(fact))).kind === 'privateKey') throw secretRefused();
  const { securityDomain, custody, facts } = await ledgerOf(world, hsm);
  const now = world.clock.now();
  const at = fact.at ?? now.toISOString();
  const id = factId(world, caller, idempotencyKey ?? JSON.stringify([securityDomain, at, fact]));
  const earlier = facts.find((each) => each.id === id);
  const judged = judgeCustodyInput(
    { ...fact, id, securityDomain, at: fact.at ?? earlier?.at ?? at, by: named(caller) },
    // A repeat is judged as it was the first time.
    earlier ? foldCustody(securityDomain, facts.slice(0, facts.indexOf(earlier))) : custody,
    now,
  );
  if (judged.kind === 'accepted') {
    const faults = await domainFaults(world, hsm, securityDomain, judged.fact, facts);
    if (faults.length > 0) throw invalid(faults);
    if (earlier && JSON.stringify(sorted(earlier)) !== JSON.stringify(sorted(judged.fact))) throw anotherFact();
  }
  return enter(world, caller, { hsm, securityDomain, dryRun }, [judged]);
}

const OURS = ['id', 'securityDomain', 'by'] as const;

/** The record names people as the sign-in does; the object id tells two of the same name apart. */
const named = ({ name, oid }: Caller): string => (name === oid ? oid : `${name} (${oid})`);

const factId = (world: World, caller: Caller, essence: string): string =>
  `fact-${hex(world.crypto.digest('SHA-256', utf8(`${caller.oid} ${essence}`))).slice(0, 32)}`;

const sorted = (fact: object) => Object.entries(fact).toSorted(([a], [b]) => (a < b ? -1 : 1));

async function ledgerOf(world: World, hsm: string) {
  const securityDomain = await securityDomainOf(world, hsm);
  const facts = await readCustodyFacts(world.documents, securityDomain);
  return { securityDomain, facts, custody: foldCustody(securityDomain, facts) };
}

const HSM_NAME = /^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$/;

/** What a record of the security domain must not claim: certificates that nobody registered, HSMs of another domain. */
async function domainFaults(
  world: World,
  hsm: string,
  securityDomain: string,
  fact: CustodyFact,
  facts: readonly CustodyFact[],
): Promise<FieldFault[]> {
  if (fact.kind !== 'SecurityDomainRecorded') return [];
  const faults: FieldFault[] = [];
  const registered = new Set(
    facts.flatMap((each) => (each.kind === 'CertificateRegistered' ? [each.certificate.fingerprint] : [])),
  );
  if (fact.certificates.some((fingerprint) => !registered.has(fingerprint))) {
    faults.push({ field: 'body certificates', rule: 'must be registered first: POST their PEM to certificates' });
  }
  if (fact.hsms.some((name) => !HSM_NAME.test(name))) {
    faults.push({ field: 'body hsms', rule: 'must be names of Managed HSMs', example: JSON.stringify([hsm]) });
    return faults;
  }
  if (!fact.hsms.includes(hsm)) faults.push({ field: 'body hsms', rule: `must include ${hsm}` });
  for (const name of fact.hsms) {
    const theirs = await securityDomainOf(world, name);
    if (theirs === securityDomain || (await readCustodyFacts(world.documents, theirs)).length === 0) continue;
    faults.push({ field: 'body hsms', rule: `must not name ${name}, whose ledger says that it belongs to another` });
  }
  return faults;
}

/** The journal hears of a fact before the ledger does, so that no fact is without its record. */
async function enter(
  world: World,
  caller: Caller,
  { hsm, securityDomain, dryRun }: { hsm: string; securityDomain: string; dryRun: boolean },
  judged: ReturnType<typeof judgeCustodyInput>[],
): Promise<Answer> {
  const faults = judged.flatMap((each) =>
    each.kind === 'refused' && each.reason === 'Malformed' ? each.faults.map(fieldFault) : [],
  );
  if (judged.some((each) => each.kind === 'refused' && each.reason === 'PrivateMaterial')) throw secretRefused();
  if (faults.length > 0) throw invalid(faults);
  const accepted = judged.flatMap((each) => (each.kind === 'accepted' ? [each] : []));
  const facts = accepted.map(({ fact }) => fact);
  const warnings = [...new Set(accepted.flatMap((each) => each.warnings))];
  if (dryRun) return { status: 200, body: { dryRun: true, facts, warnings } };
  for (const fact of facts) {
    await world.journal.append({
      id: `custody:${fact.id}`,
      kind: 'note',
      class: 'custody.record',
      at: world.clock.now().toISOString(),
      hsm,
      target: `custody/${securityDomain}`,
      identity: world.identities.observe,
      cause: caller.oid,
      instance: fact.id,
      detail: {
        fact: fact.kind,
        stated: fact.at,
        ...('certificate' in fact ? { certificate: fingerprintOf(fact) } : {}),
      },
    });
  }
  const added = await appendCustodyFacts(world, securityDomain, facts);
  return {
    status: added.length > 0 ? 201 : 200,
    body: { recorded: added.length, facts, warnings, status: await custodyStatus(world, hsm) },
  };
}

const fingerprintOf = (fact: Extract<CustodyFact, { certificate: unknown }>): string =>
  fact.kind === 'CertificateRegistered' ? fact.certificate.fingerprint : fact.certificate;

/** What was sent is not repeated: it may be a piece of what must not be kept. */
const fieldFault = ({ field, rule }: InputFault): FieldFault => ({
  field: `body ${field === '' ? '(whole)' : shownName(field)}`,
  rule,
});

const invalid = (errors: FieldFault[]) =>
  new ProblemError({
    status: 400,
    code: 'InvalidRequest',
    title: 'The fact cannot be recorded',
    detail: errors.map(({ field, rule }) => `${field} ${rule}`).join('; '),
    nextStep: 'Mend the fields named in errors and send the request again; nothing was recorded.',
    errors,
  });

const anotherFact = () =>
  new ProblemError({
    status: 409,
    code: 'InvalidRequest',
    title: 'This Idempotency-Key was used for another fact',
    detail: 'A fact that was sent with this key is on record and says something else.',
    nextStep: 'Use a new Idempotency-Key for a new fact.',
    errors: [{ field: 'header Idempotency-Key', rule: 'must be new for a new fact' }],
  });
