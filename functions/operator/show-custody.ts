import { judgeExpiry } from '../../shared/custody/expiry.ts';
import { judgeQuorum } from '../../shared/custody/quorum.ts';
import { judgeReview } from '../../shared/custody/reviews.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { custodyOf } from '../activities/custody-ledger.ts';
import { policyInForce } from '../activities/policy-in-force.ts';
import { lookedAfter } from '../looked-after.ts';
import type { World } from '../world.ts';
import type { Answer } from './answer.ts';

/** Who holds what of each security domain, whether its quorum can be reached, and what is due. */
export async function showCustody(world: World): Promise<Answer> {
  const hsms = await Promise.all(lookedAfter(world.hsms).map(({ name }) => custodyStatus(world, name)));
  return { status: 200, body: { at: world.clock.now().toISOString(), hsms } };
}

/** The custody of the security domain of one HSM, as it stands now. */
export async function custodyStatus(world: World, hsm: string) {
  const [inForce, custody] = await Promise.all([policyInForce(world), custodyOf(world, hsm)]);
  const { custody: rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version).rule;
  const now = world.clock.now();
  const quorum = judgeQuorum(custody, rule, now);
  const expiry = judgeExpiry(custody, rule, now);
  const { state, dueOn, lastOn, agenda, text } = judgeReview(custody, rule, now);
  return {
    hsm,
    securityDomain: custody.securityDomain,
    sharedBy: custody.hsms,
    quorum: {
      state: quorum.state,
      text: quorum.text,
      needed: quorum.needed ?? null,
      reachable: quorum.reachable,
      total: quorum.total,
      singlePoints: quorum.singlePoints,
      worsensOn: quorum.worsensOn ?? null,
      nextStep: quorum.nextStep,
    },
    certificates: expiry.certificates.map(({ certificate, holder, state, daysLeft }) => ({
      ...certificate,
      holder: holder ?? null,
      state,
      daysLeft,
    })),
    expiry: expiry.text,
    shares: custody.shares.map((share, index) => ({
      certificate: share.certificate,
      holder: share.holder ?? null,
      lastSeen: share.lastSeen ?? null,
      lost: share.lost ?? null,
      handOvers: share.handOvers,
      reach: quorum.shares[index]?.reach ?? 'unknown',
      why: quorum.shares[index]?.why ?? '',
    })),
    files: custody.files,
    review: { state, lastOn: lastOn ?? null, dueOn: dueOn ?? null, text, agenda },
  };
}
