/**
 * Makes `Date` follow the estate's clock for code that is not ours: the app and its SDKs in the host process, Azurite in
 * the estate process. Timers (setTimeout) keep running in real time.
 */
const RealDate = globalThis.Date;

/** Real time in milliseconds, whatever `Date` says meanwhile. */
export const realNow = (): number => RealDate.now();

/** Returns what puts the `Date` back that was there before. */
export function installMovableDate(offsetMs: () => number): () => void {
  const before = globalThis.Date;
  const MovableDate = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [RealDate.now() + offsetMs()] : args, newTarget),
    apply: () => new RealDate(RealDate.now() + offsetMs()).toString(),
    get: (target, property, receiver) =>
      property === 'now' ? () => RealDate.now() + offsetMs() : Reflect.get(target, property, receiver),
  });
  globalThis.Date = MovableDate;
  return () => {
    globalThis.Date = before;
  };
}
