import type { Owners, WebhookRoute } from '../policy/document.ts';
import { matchesGlob } from '../policy/glob.ts';
import type { Severity } from './message.ts';

/** What there is to tell a webhook, as far as routes look at it. */
export interface Tellable {
  kind: 'event' | 'notice';
  /** Type of the event or kind of the notice, without prefix. */
  type: string;
  hsm?: string;
  /** Of a notice. */
  severity?: Severity;
}

const GRAVITY: Record<Severity, number> = { info: 0, attention: 1, critical: 2 };

/** Which of the webhooks of the settings are told. One that the policy does not name is told everything. */
export const routeWebhooks = (names: readonly string[], { webhooks = {} }: Owners, what: Tellable): string[] =>
  names.filter((name) => wants(Object.hasOwn(webhooks, name) ? webhooks[name] : undefined, what));

function wants(route: WebhookRoute | undefined, { kind, type, hsm, severity }: Tellable): boolean {
  if (route === undefined) return true;
  if ((kind === 'event' ? route.events : route.notices) === false) return false;
  if (route.types && !route.types.some((pattern) => matchesGlob(pattern, type))) return false;
  if (route.hsm !== undefined && hsm !== undefined && !matchesGlob(route.hsm, hsm)) return false;
  return severity === undefined || GRAVITY[severity] >= GRAVITY[route.severity ?? 'info'];
}
