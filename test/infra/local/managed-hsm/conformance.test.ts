import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN, type Answered, type Bench, NOBODY, OWNER, startHsm } from './support.ts';

/** Published descriptions and recordings of the live service. They are not part of the product, so they may be absent. */
const SPEC = fileURLToPath(new URL('../../../../../shared/spec/', import.meta.url));
const absent = !existsSync(SPEC);
if (absent) console.log(`Conformance tests are skipped: there are no descriptions and recordings at ${SPEC}`);

const read = (path: string) => JSON.parse(readFileSync(`${SPEC}${path}`, 'utf8'));

let bench: Bench;
beforeAll(async () => {
  bench = await startHsm({ region: 'brazilsouth' });
});
afterAll(() => bench.hsm.stop());

describe.skipIf(absent)('answers fit the description 2025-07-01', () => {
  const schemas: Record<string, Ajv> = {};
  const validate = (file: 'keys' | 'administration', definition: string, body: unknown) => {
    const ajv = schemas[file] ?? new Ajv({ strict: false, formats: FORMATS, allErrors: true });
    if (!schemas[file]) ajv.addSchema(relax(read(`keyvault/2025-07-01/${file}.json`)), file);
    schemas[file] = ajv;
    const check = ajv.getSchema(`${file}#/definitions/${definition}`);
    expect(check?.(body), `${definition}: ${ajv.errorsText(check?.errors)} in ${JSON.stringify(body)}`).toBe(true);
  };

  test('keys', async () => {
    const { send } = bench;
    const tags = { a: 'b' };
    for (const kty of ['RSA-HSM', 'EC-HSM', 'oct-HSM', 'RSA']) {
      const made = await send('POST', `/keys/c-${kty}/create`, {
        body: { kty, tags, attributes: { exp: 4e9, nbf: 1 } },
      });
      validate('keys', 'KeyBundle', made.body);
      validate('keys', 'KeyBundle', (await send('GET', `/keys/c-${kty}`)).body);
      validate('keys', 'KeyListResult', (await send('GET', `/keys/c-${kty}/versions`)).body);
    }
    validate('keys', 'KeyListResult', (await send('GET', '/keys?maxresults=2')).body);
    const policy = { attributes: { expiryTime: 'P90D' }, lifetimeActions: [rotateAfter('P30D')] };
    validate('keys', 'KeyRotationPolicy', (await send('PUT', '/keys/c-EC-HSM/rotationpolicy', { body: policy })).body);
    validate('keys', 'KeyBundle', (await send('POST', '/keys/c-EC-HSM/rotate')).body);
    validate('keys', 'KeyRotationPolicy', (await send('GET', '/keys/c-RSA/rotationpolicy')).body);
    const backup = await send('POST', '/keys/c-RSA/backup');
    validate('keys', 'BackupKeyResult', backup.body);
    const random = await send('POST', '/rng', { body: { count: 8 } });
    validate('keys', 'RandomBytes', random.body);
    for (const [name, verb, alg] of [
      ['c-oct-HSM', 'encrypt', 'A256GCM'],
      ['c-RSA', 'wrapkey', 'RSA-OAEP-256'],
    ]) {
      const done = await send('POST', `/keys/${name}/${verb}`, { body: { alg, value: 'AAAA', aad: 'AAAA' } });
      validate('keys', 'KeyOperationResult', done.body);
    }
    validate('keys', 'DeletedKeyBundle', (await send('DELETE', '/keys/c-RSA')).body);
    validate('keys', 'DeletedKeyBundle', (await send('GET', '/deletedkeys/c-RSA', { as: OWNER })).body);
    validate('keys', 'DeletedKeyListResult', (await send('GET', '/deletedkeys', { as: OWNER })).body);
    validate('keys', 'KeyVaultError', (await send('GET', '/keys/nothing')).body);
    validate('keys', 'KeyBundle', (await send('POST', '/deletedkeys/c-RSA/recover', { as: OWNER })).body);
  });

  test('local RBAC and settings', async () => {
    const get = async (path: string) => (await bench.send('GET', path, { as: ADMIN })).body;
    validate(
      'administration',
      'RoleDefinitionListResult',
      await get('/providers/Microsoft.Authorization/roleDefinitions'),
    );
    validate(
      'administration',
      'RoleAssignmentListResult',
      await get('/providers/Microsoft.Authorization/roleAssignments'),
    );
    validate('administration', 'SettingsListResult', await get('/settings'));
  });

  test('every operation of the description for keys has a route', async () => {
    const paths = Object.entries<Record<string, unknown>>(read('keyvault/2025-07-01/keys.json').paths);
    for (const [path, methods] of paths) {
      for (const method of Object.keys(methods)) {
        const example = path.replace('{key-name}', 'some-key').replace('{key-version}', '0'.repeat(32));
        const { body } = await bench.send(method.toUpperCase(), example, { as: NOBODY });
        expect(body.error?.code, `${method} ${path}`).toBe('AccessDenied');
      }
    }
  });
});

/** Statuses, header names and shapes of body members, as the live service answered the same request. */
describe.skipIf(absent)('recordings replay', () => {
  test.each([
    'mhsm-key-crud.2025-07-01',
    'mhsm-key-rotation.7.5',
    'mhsm-role-definitions.2025-07-01',
    'mhsm-role-assignments.2025-07-01',
    'mhsm-settings.7.6',
    'mhsm-error-responses',
  ])('%s', async (file) => {
    const { Entries: entries } = read(`recordings/${file}.json`) as { Entries: Recorded[] };
    const names = new Map([
      ['some-uuid', randomUUID()],
      ['definition-name', randomUUID()],
    ]);
    const versions = new Map<string, string>();
    for (const entry of entries) {
      const url = new URL(entry.RequestUri);
      // Replayed in backup/conformance.test.ts.
      if (/^\/(backup|restore)$/.test(url.pathname)) continue;
      let path = url.pathname.replace(/[0-9a-f]{32}/, (version) => versions.get(version) ?? version);
      for (const [recorded, given] of names) path = path.replace(recorded, given);
      const answer = await bench.send(entry.RequestMethod, `${path}${url.search}`, {
        as:
          entry.StatusCode === 401
            ? null
            : path.startsWith('/providers') || path.startsWith('/settings')
              ? ADMIN
              : OWNER,
        ...(entry.RequestBody === null ? {} : { body: entry.RequestBody }),
      });
      const where = `${entry.RequestMethod} ${path}: ${answer.text}`;
      expect(answer.status, where).toBe(entry.StatusCode);
      compareHeaders(entry, answer);
      compareBodies(entry.ResponseBody, answer, where);
      const kid = (entry.ResponseBody as { key?: { kid: string } } | null)?.key?.kid;
      const given = (answer.body.key as { kid: string } | undefined)?.kid;
      if (kid && given) versions.set(String(kid.split('/').at(-1)), String(given.split('/').at(-1)));
    }
  });

  function compareHeaders(entry: Recorded, answer: Answered): void {
    const ignored = new Set(['content-length', 'x-ms-server-latency', 'x-ms-request-id']);
    for (const [name, value] of Object.entries(entry.ResponseHeaders)) {
      const given = answer.headers[name.toLowerCase()];
      expect(given, name).toBeDefined();
      const varies = /authenticate|network-info|region|build-version/i.test(name) || ignored.has(name.toLowerCase());
      if (!varies) expect(given, name).toBe(value);
    }
    // The settings recording was trimmed of its x-ms headers, so a success without a region says nothing.
    if (entry.StatusCode < 400 && !('x-ms-keyvault-region' in entry.ResponseHeaders)) return;
    for (const name of ['x-ms-keyvault-region', 'x-ms-keyvault-network-info', 'x-ms-build-version']) {
      expect(name in answer.headers, `${name} of ${entry.RequestMethod} ${entry.StatusCode}`).toBe(
        name in entry.ResponseHeaders,
      );
    }
  }

  function compareBodies(recorded: unknown, answer: Answered, where: string): void {
    if (typeof recorded !== 'object' || recorded === null) return void expect(answer.text).toBe(recorded ?? '');
    const error = (recorded as { error?: { code: string; message: string } }).error;
    if (!error) return void expect(shape(answer.body), where).toEqual(shape(recorded));
    const text = (message: string | undefined) =>
      message?.replace(/https:\/\/[^/]+/, '').replace(/Activity ID: [0-9a-f-]{36}/, 'Activity ID: id');
    expect(answer.body.error?.code, where).toBe(error.code);
    expect(text(answer.body.error?.message)).toBe(text(error.message));
  }
});

interface Recorded {
  RequestUri: string;
  RequestMethod: string;
  RequestBody: unknown;
  StatusCode: number;
  ResponseHeaders: Record<string, string>;
  ResponseBody: unknown;
}

const rotateAfter = (timeAfterCreate: string) => ({ trigger: { timeAfterCreate }, action: { type: 'Rotate' } });

/** Member names in order and types of values; sets of words as sorted words, lists of objects as their first. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.every((item) => typeof item === 'string') ? [...value].sort() : value.slice(0, 1).map(shape);
  }
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([name, member]) => [name, shape(member)]);
}

const FORMATS = { unixtime: true, base64url: /^[A-Za-z0-9_-]*$/, int32: true } as const;

/**
 * The three places where the live service departs from its description, and only those: the lower-case action type, data
 * actions that the enumeration lacks, and members that are null.
 */
function relax(document: Record<string, unknown>): Record<string, unknown> {
  const { definitions } = document as { definitions: Record<string, { enum?: string[] }> };
  delete definitions.DataAction?.enum;
  const action = definitions.KeyRotationPolicyAction;
  if (action?.enum) action.enum = [...action.enum, 'rotate'];
  return { definitions };
}
