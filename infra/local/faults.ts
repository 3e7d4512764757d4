/** Faults on demand, for every emulated service. Set through `POST /faults` on the control address. */
export interface FaultRule {
  id: string;
  /** `hsm`, `identity`, `topic`, `mail`, `webhook`, `blob`, `queue`, `management`, `logs`, `host`; `*` for any. */
  service: string;
  /** Operation name as the service logs it (`KeyRotate`, `Token`, `Publish`, …); `*` for any. */
  operation: string;
  /** Only where every named attribute has this value, for example `{ "hsm": "contoso", "key": "orders" }`. */
  where?: Record<string, string>;
  /** Answer this instead of acting. */
  status?: number;
  code?: string;
  message?: string;
  headers?: Record<string, string>;
  /** Cut the connection: before the effect (nothing happened) or after it (the caller cannot know). */
  lostReply?: 'before' | 'after';
  /** A named misbehaviour that the service documents, for example `corruptVersion`. */
  effect?: string;
  delayMs?: number;
  /** 0 to 1, default 1. */
  probability?: number;
  /** How many times it fires before it is spent; absent: until removed. */
  count?: number;
}

export type Fault =
  | { kind: 'none' }
  | { kind: 'answer'; status: number; code: string; message: string; headers: Record<string, string> }
  | { kind: 'lostReply'; when: 'before' | 'after' }
  | { kind: 'effect'; effect: string };

export interface Faults {
  add(rule: Omit<FaultRule, 'id'>): FaultRule;
  remove(id: string): boolean;
  clear(): void;
  list(): FaultRule[];
  /** Waits out the rule's delay, then says what to do. The first matching rule wins. */
  meet(service: string, operation: string, attributes?: Record<string, string>): Promise<Fault>;
}

export function createFaults(random: () => number = Math.random): Faults {
  const rules: FaultRule[] = [];
  let next = 1;
  const matches = (rule: FaultRule, service: string, operation: string, attributes: Record<string, string>) =>
    (rule.service === '*' || rule.service === service) &&
    (rule.operation === '*' || rule.operation === operation) &&
    Object.entries(rule.where ?? {}).every(([name, value]) => attributes[name] === value) &&
    random() < (rule.probability ?? 1);
  return {
    add(rule) {
      const added = { ...rule, id: `fault-${next++}` };
      rules.push(added);
      return added;
    },
    remove(id) {
      const index = rules.findIndex((rule) => rule.id === id);
      if (index >= 0) rules.splice(index, 1);
      return index >= 0;
    },
    clear: () => void rules.splice(0),
    list: () => rules.map((rule) => ({ ...rule })),
    async meet(service, operation, attributes = {}) {
      const index = rules.findIndex((rule) => matches(rule, service, operation, attributes));
      const rule = rules[index];
      if (!rule) return { kind: 'none' };
      if (rule.count !== undefined && --rule.count <= 0) rules.splice(index, 1);
      if (rule.delayMs) await new Promise((resolve) => setTimeout(resolve, rule.delayMs));
      if (rule.lostReply) return { kind: 'lostReply', when: rule.lostReply };
      if (rule.effect) return { kind: 'effect', effect: rule.effect };
      if (rule.status === undefined) return { kind: 'none' };
      return {
        kind: 'answer',
        status: rule.status,
        code: rule.code ?? 'InjectedFault',
        message: rule.message ?? 'Fault set through the control surface.',
        headers: rule.headers ?? {},
      };
    },
  };
}
