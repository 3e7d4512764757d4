import { createPrivateKey } from 'node:crypto';
import type { EstateClock } from '../../clock.ts';
import type { SecurityDomain } from '../backup-blob.ts';
import { badParameter, conflict, HsmError } from '../errors.ts';
import type { ManagedHsm } from '../server.ts';
import { openTransfer, parseTransfer, type Recipient, sealForQuorum } from './envelope.ts';
import { securityDomainRoutes } from './routes.ts';
import { createRsaCertificate, type RsaCertificate } from './rsa-certificate.ts';

/** As on the wire; not the words of a backup. */
export interface TransitStatus {
  status: 'Success' | 'InProgress' | 'Failed';
  status_details: string;
}

type Direction = 'download' | 'upload';

/** A download or upload; its outcome takes effect when its time has come. */
interface Transit {
  /** Unix milliseconds. */
  dueAt: number;
  landed: boolean;
  /** What an upload brings. */
  domain?: SecurityDomain;
  failure?: string;
}

export interface SecurityDomainService {
  /** Estate seconds that a download or an upload takes. Not public. */
  seconds: number;
  download(recipients: readonly Recipient[], required: number): Promise<string>;
  /** Made on first demand, which puts the HSM into recovery. */
  transferKey(): Promise<RsaCertificate>;
  upload(value: string): Promise<void>;
  status(direction: Direction): TransitStatus;
  readonly inRecovery: boolean;
  save(): unknown;
  load(saved: unknown): void;
  reset(): void;
  stop(): void;
}

interface Saved {
  transits: Partial<Record<Direction, Transit>>;
  transferKey?: RsaCertificate;
}

const TEN_YEARS_MS = 3650 * 86_400_000;

/** Gives an HSM the routes of its security domain: activation by download, and recovery by upload. */
export function addSecurityDomain({ hsm, clock }: { hsm: ManagedHsm; clock: EstateClock }): SecurityDomainService {
  let transits: Saved['transits'] = {};
  let transferKey: RsaCertificate | undefined;
  let disarm: () => void = () => undefined;

  const land = () => {
    for (const transit of Object.values(transits)) {
      if (transit.landed || clock.now().getTime() < transit.dueAt) continue;
      transit.landed = true;
      if (transit.failure !== undefined) continue;
      if (transit.domain) hsm.setSecurityDomain(transit.domain);
      transferKey = undefined;
      hsm.setActivated(true);
    }
  };
  const arm = () => {
    disarm();
    const waiting = Object.values(transits).filter(({ landed }) => !landed);
    const cancels = waiting.map(({ dueAt }) => clock.at(new Date(dueAt), land));
    disarm = () => {
      for (const cancel of cancels) cancel();
    };
  };
  const depart = (direction: Direction, outcome: Pick<Transit, 'domain' | 'failure'> = {}) => {
    transits[direction] = { dueAt: clock.now().getTime() + service.seconds * 1000, landed: false, ...outcome };
    arm();
  };
  const demandNotActivated = () => {
    if (hsm.activated) throw conflict('The HSM is activated: its security domain cannot be replaced.');
  };

  const service: SecurityDomainService = {
    seconds: 10,
    async download(recipients, required) {
      if (required > recipients.length) throw badParameter('required is more than there are certificates.');
      if (transferKey) throw conflict('The HSM is in recovery and waits for a security domain.');
      const value = await sealForQuorum(hsm.securityDomain, recipients, required);
      depart('download');
      return value;
    },
    async transferKey() {
      demandNotActivated();
      const now = clock.now().getTime();
      transferKey ??= await createRsaCertificate({
        commonName: `${hsm.name} transfer key`,
        ...{ notBefore: new Date(now - 86_400_000), notAfter: new Date(now + TEN_YEARS_MS) },
      });
      return transferKey;
    },
    async upload(value) {
      demandNotActivated();
      if (!transferKey) throw conflict('The HSM is not in recovery: ask for its transfer key first.');
      const transfer = parseTransfer(value);
      if (!transfer) throw badParameter('The value is not a security domain for upload.');
      const opened = await openTransfer(transfer, createPrivateKey(transferKey.privateKeyPem)).then(
        (domain) => ({ domain }),
        (error: Error) => ({ failure: error.message }),
      );
      depart('upload', opened);
    },
    status(direction) {
      const transit = transits[direction];
      if (!transit) throw new HsmError(404, 'NotFound', `There was no ${direction} of the security domain.`);
      land();
      if (!transit.landed) return { status: 'InProgress', status_details: '' };
      if (transit.failure !== undefined) return { status: 'Failed', status_details: transit.failure };
      // Text of the description's example.
      return { status: 'Success', status_details: 'The resource is active.' };
    },
    get inRecovery() {
      return transferKey !== undefined;
    },
    save: (): Saved => ({ transits, ...(transferKey ? { transferKey } : {}) }),
    load(saved) {
      const state = structuredClone(saved as Saved);
      transits = state.transits;
      transferKey = state.transferKey;
      arm();
    },
    reset() {
      disarm();
      transits = {};
      transferKey = undefined;
    },
    stop: () => disarm(),
  };
  hsm.extend(securityDomainRoutes(service, () => hsm.uri));
  return service;
}
