import { describe, expect, test } from 'vitest';
import { everything, type Fields, made, params, template } from './template.ts';

describe('no secret is given, kept or told', () => {
  test('no parameter takes one, and no default holds one', () => {
    const parameters = Object.entries(template.parameters as Record<string, Fields>);
    expect(parameters.filter(([name]) => /password|secret|key$/i.test(name))).toEqual([]);
    for (const [, { type }] of parameters) expect(String(type)).not.toMatch(/^secure/i);
    expect(JSON.stringify(parameters)).not.toMatch(/whsec_|password=|[A-Za-z0-9+/]{60,}/i);
  });

  test('outputs name resources and identities only', () => {
    expect(Object.keys(template.outputs as Fields)).toEqual([
      'HSM_RESOURCE_ID',
      'MHSM_CLOUD',
      'AZURE_FUNCTION_NAME',
      'APP_HOST',
      'STATE_BLOB_URL',
      ...['OBSERVE', 'ROTATE', 'BACKUP', 'RESTORE', 'RESPOND', 'REINSTATE'].map((duty) => `${duty}_PRINCIPAL_ID`),
      'BACKUP_IDENTITY_ID',
    ]);
    expect(JSON.stringify(template)).not.toMatch(/outputs\.[^"]*ConnectionString/);
  });

  test('no module hands a secret on: none reads one, and no output is named or formed like one', () => {
    const outputs = (from: Fields): [string, string][] =>
      Object.entries((from.outputs ?? {}) as Record<string, Fields>).map(([name, { value }]) => [name, String(value)]);
    const inner = (from: Fields): Fields[] =>
      Object.values(from.resources as Record<string, { properties?: { template?: Fields } }>).flatMap((one) =>
        one.properties?.template ? [one.properties.template, ...inner(one.properties.template)] : [],
      );
    const all = [template, ...inner(template)].flatMap(outputs);
    expect(all.length).toBeGreaterThan(30);
    for (const [name, value] of all) {
      expect(name).not.toMatch(/secret|password|connection|accessKey|sas$/i);
      expect(value).not.toMatch(/list[A-Z]\w*\(|ConnectionString|InstrumentationKey|getSecret/);
    }
    const secrets = everything().filter(({ type }) => /vaults\/secrets$/.test(type));
    expect(secrets.every(({ existing }) => existing)).toBe(true);
  });

  test('the one connection string in the settings opens nothing, because telemetry takes no key', () => {
    const settings = made('Microsoft.Web/sites/config').find(({ at }) => at === 'app/appSettings');
    expect(String(settings?.body.properties).match(/ConnectionString/g)).toHaveLength(1);
    expect(made('Microsoft.Insights/components')[0]?.properties.DisableLocalAuth).toBe(true);
  });

  test.each(['MHSM_MAIL_PASSWORD', 'MHSM_WEBHOOK_SECRETS'])('%s is a reference to Key Vault, or empty', (name) => {
    const value = String((params('app').settings as Fields)[name]);
    expect(value).toMatch(/^\[if\(empty\(parameters\('\w+'\)\), '', format\('@Microsoft\.KeyVault\(SecretUri=/);
  });
});
