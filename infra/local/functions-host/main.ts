import { startHost } from './host.ts';
import { hostClock } from './host-clock.ts';
import { createReport, reportToParent } from './report.ts';

const send = reportToParent();
const report = createReport(send);

/** Every line an operator needs: the message, its causes, their stacks. */
const explain = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${explain(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
};

/** Exits once the parent has the message. */
const die = (error: unknown): void => {
  report.fatal(explain(error));
  setTimeout(() => process.exit(1), 50);
};

// The real worker process dies of these as well, and the host starts another.
process.on('uncaughtException', die);
process.on('unhandledRejection', die);

try {
  const host = await startHost(process.env, hostClock, report);
  process.on('message', (message: { type?: string; id?: number }) => {
    if (message.type === 'work') host.work().then((work) => send({ type: 'work', id: message.id ?? 0, ...work }), die);
  });
  const stop = () => {
    host.stop().then(() => process.exit(0), die);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // A host without its parent would hold ports and queues for nobody.
  process.once('disconnect', stop);
} catch (error) {
  die(error);
}
