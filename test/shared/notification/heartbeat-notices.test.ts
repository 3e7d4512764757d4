import { describe, expect, test } from 'vitest';
import { meaningOf } from '../../../shared/notification/compose/heartbeat-notices.ts';
import { composeMessage } from '../../../shared/notification/compose-message.ts';
import { routeMessage } from '../../../shared/notification/route-message.ts';
import { CONTEXT, EXAMPLES } from './examples.ts';

const { HeartbeatMissed, HeartbeatRecovered } = EXAMPLES;
const WORKS = ['sweep', 'reconcile', 'backup', 'custody', 'audit', 'logs', 'adoption', 'purge', 'app'] as const;

describe('a notice of silence', () => {
  test.each(WORKS)('of %s says what it means and what to do', (work) => {
    const message = composeMessage({ ...HeartbeatMissed, work }, CONTEXT);
    expect(meaningOf(work)).toContain(message.preheader.replace(/…$/, ''));
    expect(message.mustDo.join(' ')).toContain('/api/health');
    expect(['attention', 'critical']).toContain(message.severity);
  });

  test('says what is silent, since when, and whose runs to look at', () => {
    const message = composeMessage(HeartbeatMissed, CONTEXT);
    expect(message.subject).toBe('[embedded] CRITICAL: contoso the expiry sweep is silent');
    expect(message.paragraphs[0]).toContain('since 2030-01-15 10:00 UTC');
    expect(message.mustDo[0]).toContain('expirySweepTimer');
  });

  test('of the whole app is told when it is back, to the fallback', () => {
    const { hsm: _hsm, notify: _notify, last: _last, schedule: _schedule, dueBy: _dueBy, ...rest } = HeartbeatMissed;
    const notice = { ...rest, work: 'app' as const, name: 'app', until: '2030-01-15T12:03:00Z' };
    const message = composeMessage(notice, CONTEXT);
    expect(message.headline).toBe('The whole app was silent for 2 h');
    expect(routeMessage(message, notice, { fallback: ['a@x.example'] })).toEqual(['a@x.example']);
  });

  test('that ended is good news', () => {
    expect(composeMessage(HeartbeatRecovered, CONTEXT)).toMatchObject({
      severity: 'info',
      headline: 'contoso the expiry sweep is heard again',
    });
  });
});
