import { describe, expect, test } from 'vitest';
import type { AuditRow } from '../../../infra/local/estate.ts';
import type { Happening } from '../../../infra/local/story.ts';
import { lineFor, printLine } from '../../../infra/local/terminal.ts';

const row = (more: Partial<AuditRow>): Happening => ({
  kind: 'audit',
  row: {
    time: '2030-01-01T00:00:00Z',
    hsm: 'contoso',
    resourceId: '',
    operationName: 'KeyGet',
    httpStatusCode: 200,
    resultType: 'Success',
    callerIpAddress: '127.0.0.1',
    clientInfo: '',
    requestUri: '',
    correlationId: '',
    durationMs: 1,
    identity: {},
    id: 'https://contoso.managedhsm.azure.net:1/keys/orders/1',
    ...more,
  },
});
const event = (type: string, data: unknown): Happening => ({
  kind: 'event',
  event: {
    schema: 'CloudEventSchemaV1_0',
    id: '1',
    type: `ManagedHsmLifecycle.${type}`,
    subject: 'keys/orders',
    body: { specversion: '1.0', id: '1', source: '/managedHSMs/contoso', time: '2030-01-01T00:00:00Z', type, data },
    publishTime: '',
    publisher: 'observe',
    deliveries: [],
  },
});

describe('The story in the terminal', () => {
  test('passes over reading and over what is not there', () => {
    expect(lineFor(row({}))).toBeUndefined();
    expect(lineFor(row({ operationName: 'KeyUnwrap' }))).toBeUndefined();
    expect(lineFor(row({ httpStatusCode: 404, resultType: 'Failure' }))).toBeUndefined();
  });

  test('tells of a rotation and of a refusal with its reason', () => {
    expect(lineFor(row({ operationName: 'KeyRotate' }))).toMatchObject({ what: 'rotated', subject: 'contoso/orders' });
    const refused = lineFor(event('KeyRotationRefused', { reason: 'OnHold' }));
    expect(refused).toMatchObject({ what: 'refused', subject: 'contoso/orders', result: 'OnHold', tone: 'bad' });
    const denied = row({ operationName: 'KeyRotate', httpStatusCode: 403, resultDescription: 'No right.\nActivity' });
    expect(lineFor(denied)).toMatchObject({ what: 'HSM refused', result: 'KeyRotate 403 No right.', tone: 'bad' });
  });

  test('says how far an expiry lies, and whether a new version is proven', () => {
    const EXP = Date.parse('2030-01-20T00:00:00Z') / 1000;
    expect(lineFor(event('KeyNearExpiry', { EXP }))).toMatchObject({ what: 'near expiry', result: 'in 19 days' });
    expect(lineFor(event('KeyExpired', { EXP: EXP - 20 * 86_400 }))).toMatchObject({ result: '1 day ago' });
    const version = { Version: '0123456789abcdef' };
    expect(lineFor(event('KeyNewVersionCreated', { ...version, proof: 'proven' }))).toMatchObject({
      what: 'proven',
      result: 'version 01234567',
    });
    expect(lineFor(event('KeyNewVersionCreated', version))?.result).toContain('proof unknown');
    expect(lineFor(event('BackupCompleted', {}))).toMatchObject({ what: 'backup completed', tone: 'good' });
  });

  test('is one line with the estate’s time', () => {
    const line = { what: 'mailed', subject: 'a@b.c', result: 'Key orders expires', tone: 'good' as const };
    const plain = printLine(line, new Date('2030-01-01T10:20:30Z'))
      .replace(/\[\d+m/g, '')
      .replaceAll('\u001b', '');
    expect(plain).toMatch(/^10:20:30 {2}mailed +a@b\.c +Key orders expires$/);
  });
});
