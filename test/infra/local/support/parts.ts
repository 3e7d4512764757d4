import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createCaller } from '../../../../infra/local/call.ts';
import { obtainCertificates } from '../../../../infra/local/certificates.ts';
import { createClock } from '../../../../infra/local/clock.ts';
import type { AuditRow, Estate } from '../../../../infra/local/estate.ts';
import { createFaults } from '../../../../infra/local/faults.ts';
import { TENANT_ID } from '../../../../infra/local/identity/registrations.ts';
import { obtainSigningKey } from '../../../../infra/local/identity/signing-key.ts';
import { createTokens } from '../../../../infra/local/identity/tokens.ts';
import { installMovableDate, realNow } from '../../../../infra/local/movable-date.ts';
import { trustAuthority } from '../../../../infra/local/trust.ts';

/** A directory that is gone after the file's tests. */
export async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'estate-test-'));
  afterAll(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** What the estate's services are made of, with this process on the estate's clock and trusting its authority. */
export async function estateParts() {
  const directory = await scratch();
  const clock = createClock(realNow);
  afterAll(installMovableDate(() => clock.offsetMs));
  const [tls, key] = await Promise.all([obtainCertificates(directory), obtainSigningKey(directory)]);
  trustAuthority(tls.ca);
  const tokens = createTokens(key, clock);
  const faults = createFaults();
  const rows: AuditRow[] = [];
  const caller = createCaller(tls.ca);
  afterAll(() => caller.close());
  const estate: Estate = { clock, faults, tokens, audit: (row) => rows.push(row), tls, tenantId: TENANT_ID };
  return { directory, clock, tls, key, tokens, faults, rows, estate, call: caller.call };
}

/** Asks until the answer is no longer undefined. Rejects, saying what was awaited, within the time of a test. */
export async function eventually<T>(what: string, ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (const until = realNow() + 50_000; realNow() < until; ) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`It did not come about that ${what}.`);
}
