import { describe, expect, test } from 'vitest';
import { classifyFailure, isUnknownOutcome } from '../../../../shared/adapters/azure/classify-failure.ts';
import { AppError, isTransient } from '../../../../shared/errors.ts';

const identity = { duty: 'rotate', clientId: '00000000-0000-0000-0000-000000000002' } as const;
const context = { act: 'rotate the key contoso/orders', identity, hsmName: 'contoso' };

/** A failure as the SDKs throw it. */
const answered = (statusCode: number, code: string, message: string, headers: Record<string, string> = {}) =>
  Object.assign(new Error(message), {
    name: 'RestError',
    statusCode,
    code,
    response: { headers: { get: (name: string) => headers[name] } },
  });
const unanswered = (code: string, name = 'RestError') => Object.assign(new Error(`connect ${code}`), { name, code });
const named = (name: string, statusCode?: number) =>
  Object.assign(new Error('No token.'), { name }, statusCode === undefined ? {} : { statusCode });

function classify(error: unknown, about: Parameters<typeof classifyFailure>[1] = context): AppError {
  const classified = classifyFailure(error, about);
  if (!(classified instanceof AppError)) throw new Error('Not classified.');
  return classified;
}

describe('a failure of the service', () => {
  test.each([
    [answered(429, 'Throttled', 'Slow down.'), 'ERR_THROTTLED'],
    [answered(500, '', 'Oops.'), 'ERR_TRANSIENT'],
    [answered(504, '', 'Gateway.'), 'ERR_TRANSIENT'],
    [answered(408, '', 'Timeout.'), 'ERR_TRANSIENT'],
    [unanswered('ECONNRESET'), 'ERR_TRANSIENT'],
    [unanswered('ENOTFOUND'), 'ERR_TRANSIENT'],
    [unanswered('', 'AbortError'), 'ERR_TRANSIENT'],
    [named('CredentialUnavailableError'), 'ERR_TRANSIENT'],
    [named('AuthenticationError', 503), 'ERR_TRANSIENT'],
    [named('AuthenticationError', 400), 'ERR_DENIED'],
    [answered(401, 'Unauthorized', 'AKV10032: Invalid issuer.'), 'ERR_DENIED'],
    [answered(403, 'ForbiddenByFirewall', "Client address isn't authorized."), 'ERR_DENIED'],
    [
      answered(403, 'Forbidden', 'Operation sign is not permitted on this key (Activity ID: 1)'),
      'ERR_REFUSED_BY_SERVICE',
    ],
    [answered(403, 'Forbidden', 'Operation wrap is not allowed on a disabled key.'), 'ERR_REFUSED_BY_SERVICE'],
    [answered(403, 'Forbidden', 'Operation wrap is not allowed on an expired key.'), 'ERR_REFUSED_BY_SERVICE'],
    [answered(404, 'KeyNotFound', 'Key not found: https://contoso/keys/orders'), 'ERR_NOT_FOUND'],
    [answered(409, 'Conflict', 'User triggered Restore operation is in progress'), 'ERR_HSM_BUSY'],
    [answered(409, 'Conflict', 'The name is held by a deleted key.'), 'ERR_CONFLICT'],
    [answered(412, 'ConditionNotMet', 'The condition was not met.'), 'ERR_CONFLICT'],
    [answered(400, 'BadParameter', 'Property has invalid value'), 'ERR_REFUSED_BY_SERVICE'],
  ])('%s becomes %s', (error, code) => {
    const classified = classify(error);
    expect(classified.code).toBe(code);
    expect(classified.nextStep).not.toBe('');
    expect(isTransient(classified)).toBe(code === 'ERR_TRANSIENT' || code === 'ERR_THROTTLED');
  });

  test('by throttling tells how long the service asks to wait', () => {
    expect(classify(answered(429, '', '', { 'retry-after': '7' })).message).toContain('7 s');
  });

  test('that is already classified, and one that is a bug, come back unchanged', () => {
    const known = new AppError('ERR_INPUT', 'm', { nextStep: 'n' });
    const bug = new TypeError('undefined is not a function');
    expect([classifyFailure(known, context), classifyFailure(bug, context)]).toEqual([known, bug]);
  });

  test('keeps one line, and no token, of what the service says', () => {
    const text = `Bad request to https://a/x?sig=abcdef\n    at stack (file.js:1)`;
    const { message } = classify(answered(400, 'Bad', text));
    expect(message).toContain('Bad request');
    expect(message).not.toMatch(/abcdef|stack/);
  });
});

describe('a denial', () => {
  test('to write a key names the role that holds just this, beside the wide one', () => {
    const action = 'Microsoft.KeyVault/managedHsm/keys/write/action';
    const { nextStep } = classify(answered(403, 'AccessDenied', `Not authorized to access ${action} on /keys/orders`));
    expect(nextStep).toContain('npm run setup -- --principal maintain-policy=');
    expect(nextStep).toContain('which allows far more');
  });

  // Source of the text: Azure/azure-cli issue 32719.
  const text = (action: string, scope: string) =>
    `Not authorized to access Microsoft.KeyVault/managedHsm/${action} on ${scope} (Activity ID: 00000000-0000-0000-0000-000000000000)`;

  test.each([
    ['keys/read/action', '/keys', 'Managed HSM Crypto Auditor'],
    ['keys/rotate/action', '/keys/orders', 'Managed HSM Crypto User'],
    ['keys/backup/action', '/keys/orders', 'Managed HSM Backup User'],
    ['keys/unwrap/action', '/', 'Managed HSM Crypto Service Encryption User'],
  ])('of %s on %s is an instruction to grant %s', (action, scope, role) => {
    const { code, denial, nextStep } = classify(answered(403, 'AccessDenied', text(action, scope)));
    expect(code).toBe('ERR_DENIED');
    expect(denial).toEqual({ dataAction: `Microsoft.KeyVault/managedHsm/${action}`, scope, ...identity });
    expect(nextStep).toContain(
      `az keyvault role assignment create --hsm-name contoso --role "${role}" --assignee ${identity.clientId} --scope ${scope}`,
    );
  });

  test('of a data action that no built-in role here holds asks for a role that does', () => {
    const { nextStep } = classify(answered(403, 'AccessDenied', text('roleAssignments/read/action', '/')));
    expect(nextStep).toContain('--role ROLE');
  });

  test('by another service names the identity, and no data action', () => {
    const error = answered(403, 'AuthorizationPermissionMismatch', 'This request is not authorized.');
    const { denial, message, nextStep } = classify(error, {
      act: 'read the document policy/policy.json',
      identity,
      role: 'Storage Blob Data Contributor',
    });
    expect(nextStep).toContain('Storage Blob Data Contributor');
    expect(denial).toEqual(identity);
    expect(message).toContain(identity.clientId);
  });
});

describe('the outcome of a call that failed', () => {
  test.each([
    [unanswered('ECONNRESET'), true],
    [unanswered('', 'AbortError'), true],
    [unanswered('PARSE_ERROR'), true],
    [Object.assign(answered(200, 'PARSE_ERROR', 'Unexpected end of JSON input')), true],
    [answered(503, '', ''), true],
    [answered(429, '', ''), false],
    [answered(403, '', ''), false],
    [unanswered('ECONNREFUSED'), false],
    [unanswered('ENOTFOUND'), false],
    [named('AuthenticationError', 503), false],
  ])('%s is unknown: %s', (error, unknown) => {
    expect(isUnknownOutcome(error)).toBe(unknown);
  });
});
