import { expect, it } from 'vitest';
import { readCronJobs } from '../../importers/cronjob.ts';
import { readCrontab } from '../../importers/crontab.ts';
import { mask, maskSecrets } from '../../importers/secrets.ts';
import { readSystemdTimer } from '../../importers/systemd.ts';
import { importAll, now } from './support/imported.ts';

const hidden = 'Hunter2-xK9';

it.each([
  `curl -u me:${hidden} https://a.example/`,
  `curl --user "me:${hidden}" https://a.example/`,
  `curl https://me:${hidden}@a.example/`,
  `curl -H "Authorization: Bearer ${hidden}" https://a.example/`,
  `curl -H 'authorization: ${hidden}' https://a.example/`,
  `curl -H 'X-Api-Key: ${hidden}' https://a.example/`,
  `curl -H 'PRIVATE-TOKEN:${hidden}' https://a.example/`,
  `curl -b session=${hidden} https://a.example/?token=${hidden}`,
  `curl "https://a.example/?a=1&api_key=${hidden}&b=2"`,
  `curl -d password=${hidden} https://a.example/`,
  `curl -d '{"password": "${hidden}"}' https://a.example/`,
  `curl --oauth2-bearer ${hidden} https://a.example/`,
  `curl --json "{\\"token\\":\\"${hidden}\\"}" https://a.example/`,
  `PGPASSWORD=${hidden} psql -c 'select 1'`,
  `env DB_PASSWORD='${hidden}' /opt/x`,
  `mysqldump -u root -p${hidden} shop`,
  `sshpass -p ${hidden} ssh host`,
  `restic --password=${hidden} backup /`,
  `/opt/x --api-key ${hidden}`,
  `/opt/x --client-secret "${hidden}"`,
  `psql postgres://user:${hidden}@db/shop -c vacuum`,
])('%s: the credential is in no text of the definition', (command) => {
  const texts = [
    ...importAll(
      readCrontab('c', `0 4 * * * ${command.replaceAll('%', '\\%')}\n`, {
        timezone: 'UTC',
        isSystem: false,
        honoursCronTz: true,
        now,
      }).jobs,
    ),
    ...importAll(
      readSystemdTimer(
        {
          name: 'a.timer',
          timer: [{ file: 'a.timer', text: '[Timer]\nOnCalendar=daily\n' }],
          service: [
            {
              file: 'a.service',
              text: `[Service]\nEnvironment=DB_PASSWORD=${hidden}\nExecStart=${command}\n`,
            },
          ],
        },
        { timezone: 'UTC', now },
      ).jobs,
    ),
    ...importAll(readCronJobs('m', manifest(command), { timezone: 'UTC', now }).jobs),
  ];
  expect(texts).toHaveLength(3);
  for (const { text } of texts) expect(text).not.toContain(hidden);
});

const manifest = (command: string) =>
  JSON.stringify({
    ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'x' } },
    spec: {
      schedule: '0 4 * * *',
      jobTemplate: {
        spec: {
          template: {
            spec: {
              restartPolicy: 'Never',
              containers: [
                {
                  name: 'x',
                  image: 'x',
                  command: ['sh', '-c', command],
                  env: [{ name: 'DB_PASSWORD', value: hidden }],
                },
              ],
            },
          },
        },
      },
    },
  });

it.each([
  '0 4 * * * /opt/backup --keep 7 --token-file /etc/token',
  'curl -H "Authorization: Bearer $HUB_TOKEN" https://a.example/keys?page=1',
  'PGPASSWORD=$DB psql -p 5432 -U me',
  'mysql -p shop',
  'tar -p -czf /backup/x.tgz /home',
  'MAILTO=ops@example.org',
  'sort --key 2 /etc/passwd',
  'curl -u "$USER:$PASSWORD" https://a.example/',
])('%s holds no credential and stays as it is', (line) => {
  expect(maskSecrets(line)).toBe(line);
});

it('forms that tell a credential whatever its name is are taken out', () => {
  for (const text of [
    'ghp_0123456789abcdefABCD',
    'xoxb-1234567890-abc',
    'AKIAABCDEFGHIJKLMNOP',
    'eyJhbGciOiJI.eyJzdWIiOiIx.abc',
  ]) {
    expect(maskSecrets(`run ${text} now`)).toBe(`run ${mask} now`);
  }
});
