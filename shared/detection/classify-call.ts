import type { CallClass, CallOutcome } from './audit-call.ts';

/** What a row says of its call. */
export interface LoggedCall {
  /** Address or path, as logged. */
  path: string;
  /** OperationName; a hint, because few of them are public. */
  operation: string;
  /** 0: not logged. */
  status: number;
  /** Object id of the caller; empty: nobody is named. */
  oid?: string;
}

export interface ClassifiedCall {
  class: CallClass;
  /** Lower case, without host, query and empty segments; at most 320 characters. */
  path: string;
  key?: string;
  version?: string;
  verb?: string;
  outcome: CallOutcome;
}

const PATH_LIMIT = 320;
/** Names are 1 to 127 letters, digits and hyphens, versions 32 hex digits. https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates */
const KEY_NAME = /^[a-z0-9-]{1,127}$/;
const VERSION = /^[0-9a-f]{32}$/;

const VERBS: Readonly<Record<string, CallClass>> = {
  wrapkey: 'crypto.protect',
  encrypt: 'crypto.protect',
  sign: 'crypto.protect',
  unwrapkey: 'crypto.unprotect',
  decrypt: 'crypto.unprotect',
  verify: 'crypto.verify',
};

/** Names that are documented for vaults or Managed HSM, lower case. https://learn.microsoft.com/azure/key-vault/general/logging */
const NAMES: Readonly<Record<string, CallClass>> = {
  securitydomainbackup: 'sd.download',
  securitydomainbackupstatusget: 'sd.download.poll',
  backupcreate: 'backup.start',
  keycreate: 'key.create',
  keyimport: 'key.import',
  keyrotate: 'key.rotate',
  keyrotateifdue: 'key.rotate',
  keyupdate: 'key.update',
  keydelete: 'key.delete',
  keyrecover: 'key.recover',
  keypurge: 'key.purge',
  keybackup: 'key.backup',
  keyrestore: 'key.restoreblob',
  keyrelease: 'key.release',
  keyrotationpolicyset: 'key.policy.set',
  keywrap: 'crypto.protect',
  keyencrypt: 'crypto.protect',
  keysign: 'crypto.protect',
  keyunwrap: 'crypto.unprotect',
  keydecrypt: 'crypto.unprotect',
  keyverify: 'crypto.verify',
  keyget: 'read.key',
  keygetdeleted: 'read.key',
  keylist: 'read.list',
  keylistversions: 'read.list',
  keylistdeleted: 'read.list',
  authentication: 'authentication',
};

/** What a documented name says by itself; undefined for names that nobody has published. */
export function classOfName(operation: string): CallClass | undefined {
  const name = operation.slice(0, 100).toLowerCase();
  return Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
}

/**
 * The class of a call by what its path says; the name and the status decide only where one path serves several methods, for
 * the method is not logged. Reads nothing into what it does not know: `unclassified`.
 */
export function classifyCall({ path: logged, operation, status, oid }: LoggedCall): ClassifiedCall {
  const path = plainPath(logged);
  const name = operation.slice(0, 100).toLowerCase();
  const outcome = outcomeOf(status, name, oid);
  if (name === 'authentication') return { class: 'authentication', path, outcome };
  const found = read(path.split('/').slice(1), name, status);
  return { ...found, path, outcome };
}

type Reading = Omit<ClassifiedCall, 'path' | 'outcome'>;

function read(segments: string[], name: string, status: number): Reading {
  const [root = '', ...rest] = segments;
  if (root === 'keys') return readKeys(rest, name, status);
  if (root === 'deletedkeys') return readDeletedKeys(rest, name, status);
  if (root === 'providers') return { class: classOfRoles(segments, name, status) };
  if (root.startsWith('ekm') || name.includes('ekm')) return { class: 'ekm' };
  return { class: classOfHsm(segments.join('/'), rest, name, status) };
}

function classOfHsm(path: string, rest: string[], name: string, status: number): CallClass {
  switch (path) {
    case '':
      // The workspace counted over many addresses, so the name is all there is.
      return classOfName(name) ?? 'unclassified';
    case 'securitydomain/download':
      return 'sd.download';
    case 'securitydomain/download/pending':
      return 'sd.download.poll';
    case 'securitydomain/upload':
      // The transfer key is read, with 200, where the domain is uploaded, with 202 or 204.
      return status === 200 || /transfer|get/.test(name) ? 'sd.transferkey' : 'sd.upload';
    case 'securitydomain/upload/pending':
      return 'sd.upload.poll';
    case 'backup':
      return 'backup.start';
    case 'restore':
      return 'restore.full';
    // Both only ask whether the real thing would be let.
    case 'prebackup':
      return 'backup.poll';
    case 'prerestore':
      return 'restore.poll';
    case 'rng':
      return 'random';
    case 'settings':
      return 'settings.read';
  }
  const [family] = path.split('/');
  if (family === 'backup' && rest.length === 2 && rest[1] === 'pending') return 'backup.poll';
  if (family === 'restore' && rest.length === 2 && rest[1] === 'pending') return 'restore.poll';
  if (family === 'settings' && rest.length === 1)
    return /get|list|read/.test(name) ? 'settings.read' : 'settings.update';
  return 'unclassified';
}

function readKeys(rest: string[], name: string, status: number): Reading {
  const [key, second, third, ...more] = rest;
  if (key === undefined) return { class: 'read.list' };
  if (key === 'providers') return { class: classOfRoles(rest, name, status) };
  if (second === 'providers') return { class: classOfRoles(rest.slice(1), name, status), ...named(key) };
  if (key === 'restore' && second === undefined && !/get|import|delete|update/.test(name)) {
    return { class: 'key.restoreblob' };
  }
  if (!KEY_NAME.test(key) || more.length > 0) return { class: 'unclassified' };
  if (second === undefined) return { class: classOfKey(name, status), key };
  if (third === undefined) return readSecond(key, second, name);
  const withVersion = { key, version: second };
  if (!VERSION.test(second) && !KEY_NAME.test(second)) return { class: 'unclassified', key };
  const crypto = VERBS[third];
  if (Object.hasOwn(VERBS, third) && crypto !== undefined) return { class: crypto, ...withVersion, verb: third };
  if (third === 'release') return { class: 'key.release', ...withVersion };
  return { class: third === 'attestation' ? 'read.key' : 'unclassified', ...withVersion };
}

/** `/keys/{k}/{x}`: x is an operation of the key, a verb whose empty version was left out, or a version. */
function readSecond(key: string, second: string, name: string): Reading {
  const crypto = Object.hasOwn(VERBS, second) ? VERBS[second] : undefined;
  if (crypto !== undefined) return { class: crypto, key, verb: second };
  const operation = Object.hasOwn(OPERATIONS, second) ? OPERATIONS[second] : undefined;
  if (operation !== undefined) return { class: operation, key };
  if (second === 'rotationpolicy') return { class: /get|read/.test(name) ? 'read.key' : 'key.policy.set', key };
  if (!VERSION.test(second) && !KEY_NAME.test(second)) return { class: 'unclassified', key };
  return { class: classOfVersion(name), key, version: second };
}

const OPERATIONS: Readonly<Record<string, CallClass>> = {
  create: 'key.create',
  rotate: 'key.rotate',
  backup: 'key.backup',
  restore: 'restore.key',
  release: 'key.release',
  versions: 'read.list',
  attestation: 'read.key',
};

/** `/keys/{k}` is read, imported, changed and deleted, all with 200. */
function classOfKey(name: string, status: number): CallClass {
  if (name.includes('import')) return 'key.import';
  if (name.includes('delete') && !name.includes('get')) return 'key.delete';
  if (name.includes('update')) return 'key.update';
  if (/get|read|list/.test(name) || status === 404) return 'read.key';
  return 'unclassified';
}

const classOfVersion = (name: string): CallClass =>
  name.includes('update') ? 'key.update' : /get|read|list/.test(name) ? 'read.key' : 'unclassified';

function readDeletedKeys([key, second, ...more]: string[], name: string, status: number): Reading {
  if (key === undefined) return { class: 'read.list' };
  if (!KEY_NAME.test(key) || more.length > 0) return { class: 'unclassified' };
  if (second === 'recover') return { class: 'key.recover', key };
  if (second !== undefined) return { class: 'unclassified', key };
  if (name.includes('purge') || status === 204) return { class: 'key.purge', key };
  return { class: status === 200 || /get|read|list/.test(name) ? 'read.key' : 'unclassified', key };
}

/** From `providers` on. Only a put answers 201; a removal and a read, both 200, differ in name alone. */
function classOfRoles([, provider, type, id, ...more]: string[], name: string, status: number): CallClass {
  const family = type === 'roleassignments' ? 'assign' : type === 'roledefinitions' ? 'definition' : undefined;
  if (provider !== 'microsoft.authorization' || family === undefined || more.length > 0) return 'unclassified';
  if (id === undefined) return `rbac.${family}.read`;
  if (status === 201 || /put|create|write|set|update/.test(name)) return `rbac.${family}.put`;
  if (/delete|remove/.test(name)) return `rbac.${family}.delete`;
  return /get|list|read/.test(name) ? `rbac.${family}.read` : 'unclassified';
}

function outcomeOf(status: number, name: string, oid: string | undefined): CallOutcome {
  if (status >= 200 && status < 300) return 'ok';
  if (status === 401) return name === 'authentication' || !oid ? 'challenged' : 'denied';
  if (status === 403) return 'denied';
  return status === 404 ? 'missing' : 'failed';
}

const named = (key: string): { key?: string } => (KEY_NAME.test(key) ? { key } : {});

/** An attacker writes paths as well: escapes are undone once, and what is no path of ours matches nothing below. */
function plainPath(logged: string): string {
  const cut = logged.slice(0, 4 * PATH_LIMIT);
  const bare = cut.replace(/^[a-z]+:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  const segments = decoded(bare)
    .toLowerCase()
    .split('/')
    .filter((segment) => segment !== '');
  return segments.length === 0 ? '' : `/${segments.join('/')}`.slice(0, PATH_LIMIT);
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}
