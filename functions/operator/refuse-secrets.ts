import { privateMaterialIn } from '../../shared/custody/private-material.ts';
import { ProblemError } from './problem.ts';

/** How a route looks at bodies for secrets before anything else does. */
export interface SecretRule {
  /** A member of the body that holds ciphertext for an HSM: a security domain may be in it, a private key may not. */
  opaque?: string;
  /** Also refuses what only might be a piece of a key: long runs of encoded text. For what is kept for ever. */
  strict?: boolean;
}

/** A line of PEM has 64 characters. No word, name, mail address or place has a run of so many. */
const ENCODED_RUN = /[A-Za-z0-9+/_=-]{40,}/;
const FINGERPRINT = /^[0-9a-f]{64}$/;
/** Members that hold what looks encoded, and is public: certificates are read to the last byte before anything is kept. */
const PUBLIC_MEMBERS: ReadonlySet<string> = new Set(['pem']);

/**
 * Throws when a body holds private key material, before it is validated, logged or stored. Neither the answer nor the log
 * repeats anything of it, not even the place where it stood: names of members come from the caller too.
 */
export function refuseSecrets(body: unknown, { opaque, strict = false }: SecretRule): void {
  const sealed = isObject(body) && opaque !== undefined ? body[opaque] : undefined;
  const isSealed = isObject(body) && opaque !== undefined && typeof sealed === 'string';
  // A transfer blob has the form of a security domain; whatever else is recognised in it is a mistake.
  const mistaken = isSealed ? privateMaterialIn(sealed) : undefined;
  if (mistaken !== undefined && mistaken !== 'SecurityDomain') throw secretRefused();
  const looked = isSealed ? { ...body, [opaque]: null } : body;
  const whole = JSON.stringify(looked) ?? '';
  if (privateMaterialIn(whole) !== undefined || holdsSecret(looked, strict, 0)) throw secretRefused();
}

/** Deeper than any body of ours: what hides there is refused. */
const DEEPEST = 20;

function holdsSecret(value: unknown, strict: boolean, depth: number): boolean {
  if (typeof value === 'string') {
    if (privateMaterialIn(value) !== undefined) return true;
    return strict && ENCODED_RUN.test(value) && !FINGERPRINT.test(value);
  }
  if (typeof value !== 'object' || value === null) return false;
  if (depth > DEEPEST) return true;
  return Object.entries(value).some(
    ([name, member]) =>
      holdsSecret(name, strict, depth) || holdsSecret(member, strict && !PUBLIC_MEMBERS.has(name), depth + 1),
  );
}

/** Says what to do and repeats nothing. */
export const secretRefused = () =>
  new ProblemError({
    status: 422,
    code: 'PrivateMaterial',
    title: 'Private key material is refused',
    detail:
      'The request holds what looks like a private key, a key store or a security domain. Nothing of it was kept.',
    nextStep:
      'Send public certificates and plain texts only. If it was a private key of a share, treat the share as exposed: download the security domain again with new wrapping keys.',
  });

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A name of a member or parameter that may be repeated in an answer: nothing long, nothing encoded. */
export const shownName = (name: string): string =>
  /^[\w.()-]{1,40}$/.test(name) ? name : `(a name of ${name.length} characters)`;
