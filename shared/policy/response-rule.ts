import type { CompromiseClass, Severity } from '../detection/finding.ts';

/** Each does what the one before does, and more. */
export const ANSWERS = ['observe', 'notify', 'contain', 'rotate'] as const;
/** `observe` keeps evidence; `notify` tells; `contain` takes away what let the intruder in; `rotate` makes new versions too. */
export type ResponseAnswer = (typeof ANSWERS)[number];

export const COMPROMISE_CLASSES = ['misuse', 'keyMaterial', 'rootOfTrust', 'destruction', 'controls'] as const;

/** How a compromise of an HSM or of its keys is answered. The policy may do less than a detector proposes, never more. */
export interface ResponseRule {
  mode: ResponseAnswer;
  /** Incidents that are less severe are told, and not contained. */
  from: Exclude<Severity, 'Informational'>;
  /** What differs for a class of compromise; member by member. */
  classes: Partial<Record<CompromiseClass, ResponseAnswer>>;
  /** Who lets an assignment at the scope of one key be taken away. */
  keyScope: 'policy' | 'approval' | 'twoApprovals';
  /** The same at `/` and `/keys`: never the policy alone. */
  hsmScope: 'approval' | 'twoApprovals';
  /** The same where the caller is a service, which stops then. */
  services: 'approval' | 'twoApprovals';
  /** So many Managed HSM Administrators are left, whatever happens. */
  administrators: number;
  /** Object ids of emergency accounts: containment never touches them, and detection keeps no repeat of theirs from people. */
  breakGlass: string[];
  /** How long a step waits for people; then it is not done. */
  approvalLasts: string;
  /** How long after a step began to wait each circle is called; member by member. */
  escalate: { owner: string; deputy: string; lead: string };
  deputies: string[];
  leads: string[];
  /** How long the intruder is looked for after containment: misuse, destruction and weakened controls. */
  watch: string;
  /** The same where key material or the root of trust is out. */
  watchMoved: string;
}

export interface PartialResponse extends Partial<Omit<ResponseRule, 'escalate'>> {
  escalate?: Partial<ResponseRule['escalate']>;
}

/** In force where the document says nothing: contains with one approval, by itself nothing but evidence and notices. */
export const BUILT_IN_RESPONSE: ResponseRule = {
  mode: 'contain',
  from: 'Medium',
  classes: {},
  keyScope: 'approval',
  hsmScope: 'approval',
  services: 'approval',
  administrators: 2,
  breakGlass: [],
  approvalLasts: 'P1D',
  escalate: { owner: 'PT15M', deputy: 'PT30M', lead: 'PT1H' },
  deputies: [],
  leads: [],
  watch: 'P3D',
  watchMoved: 'P30D',
};

export const mergeResponse = (rule: ResponseRule, more: PartialResponse | undefined): ResponseRule => ({
  ...rule,
  ...more,
  classes: { ...rule.classes, ...more?.classes },
  escalate: { ...rule.escalate, ...more?.escalate },
});

/** What the rule answers to an incident of this class and severity. */
export function answerFor(
  rule: ResponseRule,
  { class: compromise, severity }: { class: CompromiseClass; severity: Severity },
): ResponseAnswer {
  const answer = rule.classes[compromise] ?? rule.mode;
  const order: readonly Severity[] = ['Informational', 'Low', 'Medium', 'High', 'Critical'];
  const mild = order.indexOf(severity) < order.indexOf(rule.from);
  return mild && ANSWERS.indexOf(answer) > ANSWERS.indexOf('notify') ? 'notify' : answer;
}
