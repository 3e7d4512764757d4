import { describe, expect, test } from 'vitest';
import { renderRestoreHtml } from '../../../shared/restore/render-report-html.ts';
import type { RestoreReport } from '../../../shared/restore/report.ts';

const report: RestoreReport = {
  version: 1,
  restore: 'restore-contoso-1',
  installation: 'test',
  hsm: 'contoso',
  backup: {
    id: 'mhsm-contoso-20291231020000',
    takenOn: '2029-12-31T02:00:00Z',
    hsm: 'contoso',
    manifestSha256: 'ab'.repeat(32),
  },
  requested: { by: 'oid-omar', at: '2030-01-01T00:00:00.000Z', reason: 'damage <script>alert(1)</script>' },
  approved: { by: 'oid-ana', at: '2030-01-01T00:05:00.000Z', decision: 'approved', note: 'confirmed by phone' },
  safetyBackup: 'mhsm-contoso-20300101000600',
  startedOn: '2030-01-01T00:05:10.000Z',
  endedOn: '2030-01-01T00:15:10.000Z',
  preview: ['One key is rolled back.'],
  comparison: {
    kind: 'same',
    differences: [],
    compared: { keys: 2, versions: 3, roleAssignments: 5 },
    ...{ critical: 0, warnings: 0, notes: 0 },
  },
};

describe('the page of a restore', () => {
  test('names who asked, who approved, what was restored and what can undo it, without scripts or links', () => {
    const html = renderRestoreHtml(report);
    for (const text of [
      'As backed up',
      'oid-omar',
      'oid-ana',
      report.backup.id,
      'mhsm-contoso-20300101000600',
      '600 s',
    ]) {
      expect(html).toContain(text);
    }
    expect(html).not.toMatch(/<script|<a |<img|http-equiv/i);
  });

  test('shows the gravest differences as such, and escapes what they hold', () => {
    const differences = [
      { kind: 'KeyMissing', severity: 'critical', subject: 'keys/<b>orders</b>' } as const,
      {
        kind: 'TagDiffers',
        severity: 'warning',
        subject: 'keys/orders',
        attribute: 'owner',
        expected: 'a',
        found: 'b',
      } as const,
    ];
    const comparison = { ...report.comparison, kind: 'different' as const, differences, critical: 1, warnings: 1 };
    const html = renderRestoreHtml({ ...report, comparison });
    expect(html).toContain('Different');
    expect(html).toContain('keys/&lt;b&gt;orders&lt;/b&gt;');
    expect(html.indexOf('KeyMissing')).toBeLessThan(html.indexOf('TagDiffers: owner'));
  });

  test('says of one key what it says of an HSM', () => {
    const { safetyBackup: _, approved: __, ...bare } = report;
    const html = renderRestoreHtml({ ...bare, key: 'orders' });
    expect(html).toContain('Restore of orders on contoso');
    expect(html).toContain('not needed: nothing was taken away');
  });
});
