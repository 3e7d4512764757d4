import { EXPIRED_CERTIFICATE, judgeExpiry } from '../../shared/custody/expiry.ts';
import { judgeQuorum } from '../../shared/custody/quorum.ts';
import { judgeReview } from '../../shared/custody/reviews.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import type { CustodyAlarm } from '../contracts/custody-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import { lookedAfter } from '../looked-after.ts';
import type { World } from '../world.ts';
import { custodyOf, lineageSlug } from './custody-ledger.ts';
import { beat } from './heartbeats.ts';
import { policyInForce } from './policy-in-force.ts';
import { securityDomainOf } from './security-domain-lineage.ts';

/** While it still holds it is told again: a quorum at risk every day, what leaves weeks of time less often. */
const REPEAT = { quorum: 'P1D', unrecorded: 'P7D', expiring: 'P14D', review: 'P7D' } as const;

/** What the clock asks of custody: can the quorum still be reached, do certificates expire, is a review due. */
export const custodyWatchActivities = (world: World) =>
  ({
    async lookAtCustody({ hsm }) {
      const inForce = await policyInForce(world);
      const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
      const custody = await custodyOf(world, hsm);
      const first = await firstOfDomain(world, custody.securityDomain);
      if (first !== hsm) {
        await beat(world, 'custody', hsm);
        return { kind: 'sharedWith', hsm: first };
      }
      const now = world.clock.now();
      const { securityDomain } = custody;
      const slug = lineageSlug(securityDomain);
      const about = { at: now.toISOString(), hsm, notify: rule.notice, securityDomain };
      const alarms: CustodyAlarm[] = [];

      const quorum = judgeQuorum(custody, rule.custody, now);
      if (quorum.alarm) {
        const { state, text, singlePoints, nextStep } = quorum;
        const shares = quorum.shares.map(({ holder, place, reach, why }) => ({
          ...(holder === undefined ? {} : { holder }),
          ...(place === undefined ? {} : { place }),
          reach,
          why,
        }));
        // A quorum that worsens is news, whatever was told before.
        const told = `${state}-${quorum.reachable}-${quorum.unknown}-${quorum.total}`;
        alarms.push({
          due: {
            id: `quorum-at-risk-${slug}-${told}`,
            notice: { kind: 'QuorumAtRisk', ...about, state, text, shares, singlePoints, nextStep },
            repeatAfter: state === 'unknown' ? REPEAT.unrecorded : REPEAT.quorum,
          },
          event: { alarm: 'QuorumAtRisk', state: told, summary: text },
        });
      }

      const { due, text } = judgeExpiry(custody, rule.custody, now);
      if (due.length > 0) {
        const told = due.map(({ certificate, state }) => `${certificate.fingerprint.slice(0, 16)}-${state}`).join('-');
        alarms.push({
          due: {
            id: `custody-expiring-${slug}-${told}`,
            notice: {
              kind: 'CustodyExpiring',
              ...about,
              certificates: due.map(({ certificate, holder, daysLeft }) => ({
                subject: certificate.subject,
                fingerprint: certificate.fingerprint,
                ...(holder === undefined ? {} : { holder }),
                notAfter: certificate.notAfter,
                daysLeft,
              })),
            },
            repeatAfter: REPEAT.expiring,
          },
          event: { alarm: 'CustodyExpiring', state: told, summary: text.replace(` ${EXPIRED_CERTIFICATE}`, '') },
        });
      }

      const review = judgeReview(custody, rule.custody, now);
      // Without a recorded security domain there is nothing to review yet: the quorum alarm says so already.
      if (review.state !== 'ok' && custody.quorum !== undefined) {
        const { state, dueOn, lastOn, agenda } = review;
        alarms.push({
          due: {
            id: `custody-review-${slug}-${state}-${lastOn ?? 'never'}`,
            notice: {
              kind: 'CustodyReviewDue',
              ...about,
              overdue: state !== 'dueSoon',
              ...(dueOn === undefined ? {} : { dueOn }),
              ...(lastOn === undefined ? {} : { lastOn }),
              agenda,
            },
            repeatAfter: REPEAT.review,
          },
        });
      }
      await beat(world, 'custody', hsm);
      return { kind: 'watched', securityDomain, at: now.toISOString(), alarms };
    },

    /** The event's id is made of the fact alone, so that a repeat is the same event. */
    async publishCustodyAlarm({ hsm, alarm, securityDomain, at, state, summary }) {
      const settings = world.hsms.find(({ name }) => name === hsm);
      if (!settings) throw new Error(`no HSM named ${hsm} in the settings`);
      await world.events.publish([
        {
          id: [alarm, lineageSlug(securityDomain), state, at.slice(0, 10)].join('/'),
          type: alarm,
          source: settings.resourceId,
          subject: `custody/${securityDomain}`,
          time: at,
          data: { hsm, summary, reference: securityDomain },
        },
      ]);
      return { kind: 'published' };
    },
  }) satisfies Partial<ActivityHandlers>;

/** The HSM of the settings that speaks for a security domain. */
async function firstOfDomain(world: World, securityDomain: string): Promise<string> {
  for (const { name } of lookedAfter(world.hsms)) {
    if ((await securityDomainOf(world, name)) === securityDomain) return name;
  }
  throw new Error(`no HSM of the settings has the ${securityDomain}`);
}
