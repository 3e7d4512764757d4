import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BackupJob,
  backupInstanceId,
  judgeBackupJob,
  parseFolder,
  splitFolderUri,
} from '../../../shared/backup/backup.ts';
import { toIso } from '../../../shared/time.ts';

describe('parseFolder', () => {
  it.each([
    ['the documented 14 digits', 'mhsm-contoso-20260821010203', 'contoso'],
    ['the recorded 16 digits', 'mhsm-contoso-2026082101020399', 'contoso'],
    ['hyphens and digits in the name of the HSM', 'mhsm-my-hsm-20250101-20260821010203', 'my-hsm-20250101'],
  ])('reads %s', (_title, folder, hsm) => {
    expect(parseFolder(folder)).toEqual({ hsm, takenOn: '2026-08-21T01:02:03Z' });
  });

  it.each([
    'mhsm-contoso-2026082101020',
    'mhsm-contoso-202608210102031',
    'mhsm-contoso-20260231010203',
    'mhsm-contoso-20260821250203',
    'mhsm--20260821010203',
    'contoso-20260821010203',
    'mhsm-contoso-20260821010203/keys',
    '',
  ])('takes %j for no backup folder', (folder) => {
    expect(parseFolder(folder)).toBeUndefined();
  });

  it('reads back every name that the service can write', () => {
    const instant = fc.date({
      min: new Date('2020-01-01T00:00:00Z'),
      max: new Date('2099-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z][a-z0-9-]{1,22}[a-z0-9]$/),
        instant,
        fc.constantFrom('', '00', '42'),
        (hsm, date, tail) => {
          const second = new Date(Math.floor(date.getTime() / 1000) * 1000);
          const folder = `mhsm-${hsm}-${toIso(second).replace(/\D/g, '')}${tail}`;
          expect(parseFolder(folder)).toEqual({ hsm, takenOn: toIso(second) });
        },
      ),
    );
  });

  it('never throws, whatever it is given', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseFolder(text)));
  });
});

describe('splitFolderUri', () => {
  it('parts container and folder, a query and a slash at the end left out', () => {
    const expected = { container: 'https://a.example/c', folder: 'mhsm-contoso-20260821010203' };
    expect(splitFolderUri('https://a.example/c/mhsm-contoso-20260821010203')).toEqual(expected);
    expect(splitFolderUri('https://a.example/c/mhsm-contoso-20260821010203/?sig=x')).toEqual(expected);
  });

  it.each(['https://a.example/c', 'mhsm-contoso-20260821010203', ''])('finds no folder in %j', (uri) => {
    expect(splitFolderUri(uri)).toBeUndefined();
  });
});

describe('backupInstanceId', () => {
  it('is one for one slot, and another for another attempt', () => {
    expect(backupInstanceId('contoso', '2030-01-15T02:00:00Z')).toBe('backup-contoso-20300115T020000Z');
    expect(backupInstanceId('contoso', '2030-01-15T02:00:00Z', 2)).toBe('backup-contoso-20300115T020000Z-2');
  });
});

describe('judgeBackupJob', () => {
  const aJob = (changes: Partial<BackupJob>): BackupJob => ({
    jobId: 'c'.repeat(32),
    status: 'Succeeded',
    startedOn: '2030-01-15T02:00:00Z',
    folderUri: 'https://a.example/c/mhsm-contoso-20300115020000',
    ...changes,
  });

  it('believes the job that names its folder', () => {
    expect(judgeBackupJob(aJob({ error: {} }))).toEqual({
      kind: 'succeeded',
      container: 'https://a.example/c',
      folder: 'mhsm-contoso-20300115020000',
      takenOn: '2030-01-15T02:00:00Z',
    });
  });

  it('waits while the job runs', () => {
    expect(judgeBackupJob(aJob({ status: 'InProgress' }))).toEqual({ kind: 'running' });
  });

  it.each<[string, Partial<BackupJob>, string]>([
    ['failed after it was accepted', { status: 'Failed', statusDetails: 'ResourceNotFound' }, 'ResourceNotFound'],
    ['was cancelled', { status: 'Canceled' }, 'cancelled'],
    ['succeeded without a folder', { folderUri: 'https://a.example/c' }, 'names no backup folder'],
  ])('refuses a job that %s, with a next step', (_title, changes, told) => {
    const verdict = judgeBackupJob(aJob(changes));
    expect(verdict).toMatchObject({ kind: 'failed', explanation: expect.stringContaining(told) });
    expect(verdict.kind === 'failed' && verdict.nextStep).toBeTruthy();
  });

  it('tells code, message and details once each', () => {
    const verdict = judgeBackupJob(
      aJob({ status: 'Failed', statusDetails: 'Gone', error: { code: 'Gone', message: 'No.' } }),
    );
    expect(verdict).toMatchObject({ explanation: expect.stringContaining(': Gone, No..') });
  });
});
