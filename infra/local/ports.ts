/** The ports of one estate: all free ones, or fixed places above a base. */
export interface Ports {
  control: number;
  host: number;
  identity: number;
  blob: number;
  queue: number;
  topic: number;
  mail: number;
  webhook: number;
  /** Blob service of the account that HSMs write backups to, and of the one that keeps the copies. */
  landing: number;
  vault: number;
  management: number;
  logs: number;
  hsm(index: number): number;
}

/** Base 0: the system chooses. */
export function portsFrom(base: number): Ports {
  const place = (offset: number) => (base === 0 ? 0 : base + offset);
  return {
    control: place(0),
    host: place(1),
    identity: place(2),
    blob: place(3),
    queue: place(4),
    topic: place(5),
    mail: place(6),
    webhook: place(7),
    landing: place(8),
    vault: place(9),
    management: place(50),
    logs: place(51),
    hsm: (index) => place(10 + index),
  };
}
