const REDACTED = '[redacted]';

/** Fields that are secret whatever they hold. Matched without regard to case, as whole names or endings. */
const SECRET_FIELD =
  /(^|[_-])(authorization|cookie|password|passwd|pwd|secret|token|assertion|signature|sig|sas|apikey|accountkey|sharedaccesskey|connectionstring|credential|privatekey|plaintext|d|k|p|q|dp|dq|qi)$/i;
const SECRET_ENDING = /(Password|Secret|Token|Assertion|Signature|ApiKey|AccountKey|ConnectionString|PrivateKey)$/;

/** Fields that carry key material in the protocol of a Managed HSM when they hold something long. */
const MATERIAL_FIELD = /^(value|result|digest|ciphertext|wrapped|iv|tag|bytes|data|body|blob|key|token|n|x|y)$/i;
const LONG_BASE64 = /^[A-Za-z0-9+/_-]{64,}={0,2}$/;

const SHAPES: [RegExp, string][] = [
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, REDACTED],
  [/(\bsig|[?&](?:code|token)|\bpassword)=[^&\s"']+/gi, `$1=${REDACTED}`],
  [/\b(Bearer|SharedKey|Basic)\s+[\w.~+/:=-]{8,}/g, `$1 ${REDACTED}`],
  [/\b(AccountKey|SharedAccessKey|SharedAccessSignature)=[^;\s"']+/gi, `$1=${REDACTED}`],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(-----END [A-Z ]+-----|$)/g, REDACTED],
];

const DEEPEST = 6;

/** Takes tokens, SAS signatures, keys and PEM blocks out of a text, by their shape. */
export const redactText = (text: string): string =>
  SHAPES.reduce((cleaned, [shape, replacement]) => cleaned.replace(shape, replacement), text);

/** A copy fit to be logged: JSON values only, secrets removed by field name and by shape, depth bounded. */
export function redact(value: unknown, field = '', depth = 0): unknown {
  if (value === undefined || value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (isSecretField(field)) return REDACTED;
  if (typeof value === 'string') {
    return MATERIAL_FIELD.test(field) && LONG_BASE64.test(value) ? REDACTED : redactText(value);
  }
  if (value instanceof Date) return value.toJSON();
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (value instanceof Error) return redactError(value, depth);
  if (typeof value !== 'object') return `[${typeof value}]`;
  if (depth >= DEEPEST) return '[deeper]';
  if (Array.isArray(value)) return value.map((item) => redact(item, field, depth + 1));
  if ('toJSON' in value && typeof value.toJSON === 'function') return redact(value.toJSON(), field, depth + 1);
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, redact(inner, name, depth + 1)]));
}

const isSecretField = (field: string): boolean => SECRET_FIELD.test(field) || SECRET_ENDING.test(field);

/** Name, code, message and causes. Never other members: the SDKs hang requests with their headers on errors. */
function redactError(error: Error, depth: number): unknown {
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause = error.cause === undefined || depth >= DEEPEST ? {} : { cause: redact(error.cause, 'cause', depth + 1) };
  return { name: error.name, ...code, message: redactText(error.message), ...cause };
}
