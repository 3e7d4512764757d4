import { listOf, matching, members, type Read, recordOf, text } from './readers.ts';
import { isSafeUrl, parseUrl } from './safe-url.ts';
import { Secret } from './secret.ts';

/** One webhook with its address and the keys that its calls are signed with. */
export interface WebhookSettings {
  /** The name used in the policy, in logs and by the operator API. */
  name: string;
  /** Its path and query may be a secret of the receiver: shown nowhere. */
  url: string;
  /** Every call is signed with each of them, so that a receiver can change over. */
  secrets: Secret[];
}

/** A call for each person who reads along would be spam; a loop over many is slow. */
const MOST = 10;

/** As the Standard Webhooks convention writes them: 24 to 64 bytes in Base64. https://www.standardwebhooks.com */
const SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;

const secret: Read<Secret> = text(
  (given) => {
    const bytes = keyLength(SECRET.exec(given)?.[1] ?? '');
    return bytes >= 24 && bytes <= 64;
  },
  (given) => new Secret(given),
);

const NAME = /^[a-z][a-z0-9-]{0,30}$/;

export const webhookList = listOf(
  members({
    name: matching(NAME),
    url: text((url) => isSafeUrl(url) && parseUrl(url)?.username === '' && !url.includes('#')),
  }),
  (all) => all.length <= MOST && new Set(all.map(({ name }) => name)).size === all.length,
);

export const webhookSecrets = recordOf(
  NAME,
  listOf(secret, ({ length }) => length > 0 && length <= 3),
);

/** Names on one side only. Reads the raw texts, so that it shows even while other settings are at fault. */
export function unpairedWebhooks(list: string | undefined, secrets: string | undefined): string[] {
  const hooks = readJson(list);
  const keys = readJson(secrets);
  const named = Array.isArray(hooks) ? hooks.map((hook: unknown) => String(Object(hook).name)) : [];
  const keyed = typeof keys === 'object' && keys !== null ? Object.keys(keys) : [];
  return [...named.filter((each) => !keyed.includes(each)), ...keyed.filter((each) => !named.includes(each))];
}

const keyLength = (base64: string): number =>
  base64.length % 4 === 0 ? (base64.length / 4) * 3 - (base64.length - base64.replace(/=+$/, '').length) : 0;

function readJson(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
