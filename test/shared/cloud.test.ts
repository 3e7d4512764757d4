import { describe, expect, test } from 'vitest';
import { CLOUDS, cloudOf, foreignCloud, issuersOf } from '../../shared/cloud.ts';

describe('an address belongs to one cloud', () => {
  test.each([
    ['contoso.managedhsm.azure.net', 'public'],
    ['state.blob.core.windows.net', 'public'],
    ['CONTOSO.managedhsm.usgovcloudapi.net', 'usgov'],
    ['topic.usgovvirginia-1.eventgrid.azure.us', 'usgov'],
    ['contoso.managedhsm.azure.cn', 'china'],
    ['contoso.managedhsm.chinacloudapi.cn', 'china'],
    ['login.partner.microsoftonline.cn', 'china'],
  ] as const)('%s: %s', (host, home) => {
    for (const cloud of CLOUDS) expect(foreignCloud(cloud, host)).toBe(cloud === home ? undefined : home);
  });

  test.each(['localhost', 'smtp.contoso.com', 'notazure.net', 'azure.net.evil.example'])('%s: none', (host) => {
    for (const cloud of CLOUDS) expect(foreignCloud(cloud, host)).toBeUndefined();
  });

  test('what a cloud gives is its own', () => {
    for (const cloud of CLOUDS) {
      const { armUrl, logsUrl, topicAudience, loginHosts } = cloudOf(cloud);
      const hosts = [armUrl, logsUrl, topicAudience].map((url) => new URL(url).host).concat(loginHosts);
      for (const other of CLOUDS.filter((each) => each !== cloud))
        for (const host of hosts) expect(foreignCloud(other, host)).toBe(cloud);
    }
  });
});

describe('an issuer is taken as each host of its authority writes it', () => {
  test('in China by both names, for the same tenant', () => {
    const both = ['https://login.partner.microsoftonline.cn/t/v2.0', 'https://login.chinacloudapi.cn/t/v2.0'];
    for (const issuer of both) expect(issuersOf('china', issuer)).toEqual(both);
  });

  test('elsewhere by one, and a foreign one by itself', () => {
    expect(issuersOf('public', 'https://login.microsoftonline.com/t/v2.0')).toHaveLength(1);
    expect(issuersOf('usgov', 'https://login.chinacloudapi.cn/t/v2.0')).toEqual([
      'https://login.chinacloudapi.cn/t/v2.0',
    ]);
    expect(issuersOf('china', 'https://login.chinacloudapi.cn.evil.example/t/v2.0')).toHaveLength(1);
  });
});
