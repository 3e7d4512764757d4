import { type Detector, type Draft, parameter } from '../detector.ts';
import { groupBy } from '../group-by.ts';
import { distinct, keysOf, nameOf, namesOf, succeeded } from '../grouping.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { lookUp, type Scene } from '../scene.ts';
import { surpriseOfNew } from '../statistics.ts';
import { dayOf } from '../time-bins.ts';

const ID = 'unfamiliar-network';

/** A stolen token is used from the thief's network. Addresses of Azure prove nothing: anybody can rent one. */
export const unfamiliarNetwork: Detector = {
  id: ID,
  version: 1,
  sees: 'Successes from a public address of an HSM that should be private, from hostile ranges, through an unexpected service, or from a network new to the caller.',
  method: 'Rule for ranges and services; for the rest new networks of a caller, unless new ones are usual for it.',
  severity: { least: 'Low', most: 'Critical' },
  falsePositives: [
    'Services that come through the bypass change their addresses: their networks are not judged.',
    'People on the move: name the ranges of the jump hosts.',
    'A move of a service to another network: announce it.',
  ],
  runbook: [
    'Find out who had the address at the time.',
    'Treat the token of the caller as stolen until its owner explains the network.',
    'Close the firewall only after a dry run against the addresses of the last week.',
  ],
  response: 'containByApproval',
  compromise: 'misuse',
  techniques: ['T1078.004', 'T1090'],
  evaluate(scene) {
    const calls = scene.calls.filter(
      (call) => succeeded(call) && call.class !== 'authentication' && call.address !== '',
    );
    return [...groupBy(calls, ({ who }) => who).values()].flatMap((calls) => judge(scene, calls) ?? []);
  },
};

interface Oddity {
  base: number;
  why: string;
  subject: string;
  learning?: boolean;
}

function judge(scene: Scene, calls: JudgedCall[]): Draft | undefined {
  const odd = calls.flatMap((call) => {
    const oddity = oddityOf(scene, call);
    return oddity === undefined ? [] : [{ call, oddity }];
  });
  const worst = odd.map(({ oddity }) => oddity).sort((a, b) => b.base - a.base)[0];
  if (worst === undefined) return undefined;
  const strange = odd.filter(({ oddity }) => oddity.subject === worst.subject).map(({ call }) => call);
  const first = strange[0] as JudgedCall;
  return {
    calls: strange,
    explained: false,
    ...(worst.learning ? { learning: true } : {}),
    subject: worst.subject,
    windowMinutes: 1440,
    base: worst.base,
    title: `${nameOf(first)} came from ${first.address || 'nowhere'} to ${namesOf(keysOf(strange))}`,
    explanation: worst.why,
    nextStep: 'Ask the owner of this caller where it runs; treat its token as stolen until that is known.',
    facts: {
      networks: distinct(strange.map(({ place }) => place.network)).length,
      client: first.agent,
    },
    marks: ['network'],
  };
}

function oddityOf(scene: Scene, call: JudgedCall): Oddity | undefined {
  const { network } = scene.rule;
  const { allowed, hostile } = call.place;
  const open = call.place.public && !call.trustedService;
  if (hostile) {
    return { base: 75, why: 'The address is on the list of hostile ranges.', subject: 'hostile' };
  }
  const closed = network.privateOnly || scene.facts.lookedUp.network?.publicAccess === false;
  if (closed && open && !allowed) {
    return {
      base: 85,
      why: 'The HSM should be reached from private networks alone, and this call was answered.',
      subject: 'public',
    };
  }
  if (call.trustedService) return unexpectedService(scene, call);
  return newNetwork(scene, call, open && !allowed);
}

function unexpectedService({ rule }: Scene, { trustedService }: JudgedCall): Oddity | undefined {
  const expected = rule.network.trustedServices.map((name) => name.toLowerCase());
  if (expected.length === 0 || expected.includes(trustedService?.toLowerCase() ?? '')) return undefined;
  return {
    base: 60,
    why: `The service ${trustedService?.slice(0, 60)} came through the bypass, and is none of those expected.`,
    subject: `service ${trustedService?.slice(0, 60).toLowerCase()}`,
  };
}

function newNetwork(scene: Scene, call: JudgedCall, open: boolean): Oddity | undefined {
  if (scene.age < scene.rule.learning.rulesOnlyDays) return undefined;
  const known = lookUp(scene.memory.callers, call.who);
  // A caller without history is new in itself, which another detector tells.
  if (known === undefined || Object.keys(known.networks).length === 0) return undefined;
  const { network } = call.place;
  if (lookUp(known.networks, network) !== undefined) return undefined;
  const today = dayOf(call.firstMs);
  const start = dayOf(Date.parse(known.first));
  const days = today - start;
  const ages = Object.values(known.networks)
    .filter(({ first }) => first > start + 3)
    .map(({ first }) => today - first);
  if (surpriseOfNew(ages, Math.max(1, days)) < parameter(scene, ID, 'surprise')) return undefined;
  const learning = days < scene.rule.learning.noveltyDays || scene.age < scene.rule.learning.noveltyDays;
  const newClient = lookUp(known.agents, call.agent) === undefined;
  const service = call.caller.upn === undefined;
  const extra = newClient ? 15 : 0;
  const withClient = newClient ? ' Its client is new, too.' : '';
  const subject = `network ${network}`;
  if (service && open && !known.public) {
    return {
      base: 60 + extra,
      why: `A service that never came from a public network came from one.${withClient}`,
      subject,
      learning,
    };
  }
  return {
    base: (open ? 30 : 15) + extra,
    why: `In ${days} days this caller never came from ${network}.${withClient}`,
    subject,
    learning,
  };
}
