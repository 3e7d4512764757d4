import type { Ready } from '../ready-file.ts';
import type { Route } from './routes.ts';

const escapeHtml = (text: string) => text.replace(/[<>&"]/g, (mark) => `&#${mark.charCodeAt(0)};`);

/** The index page: where everything is, and what can be asked for. */
export function indexPage(routes: readonly Route[], ready: Ready): string {
  const rows = routes.map(({ method, path, purpose, example }) => {
    const name = method === 'GET' && !path.includes('{') ? `<a href="${path}">${path}</a>` : escapeHtml(path);
    const body = example === undefined ? '' : `<br><code>${escapeHtml(JSON.stringify(example))}</code>`;
    return `<tr><td>${method}</td><td><code>${name}</code></td><td>${escapeHtml(purpose)}${body}</td></tr>`;
  });
  const { host, identity, blob, blobLanding, blobVault, management, topic, mail } = ready;
  const services = { identity, blob, blobLanding, blobVault, management, topic, mail };
  const hsms = ready.hsms.map(({ name, uri }) => [`HSM ${name}`, uri]);
  const addresses = Object.fromEntries([['app', host], ...hsms, ...Object.entries(services)]);
  const list = Object.entries<string>(addresses).map(
    ([name, url]) => `<tr><td>${name}</td><td><code>${escapeHtml(url)}</code></td></tr>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Embedded estate</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}
table{border-collapse:collapse;width:100%}td{padding:.35rem .75rem .35rem 0;vertical-align:top;border-bottom:1px solid #8884}</style>
<h1>Embedded estate: control</h1><table>${list.join('')}</table>
<h2>Routes</h2><table>${rows.join('')}</table></html>`;
}
