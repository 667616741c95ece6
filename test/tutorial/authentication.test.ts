import { join } from 'node:path';
import { expect, test } from 'vitest';
import { prepareBroker } from '../harness/brokers.ts';
import { useResources } from '../harness/resources.ts';
import { publish, runTool, subscribe } from '../harness/tools.ts';
import { describeWalks, installedBroker, type Walk } from './walks.ts';

const authentication = [
  'password_file {dir}/passwd',
  'allow_anonymous false # Connexions sans mot de passe non autorisées',
  '',
  '# password_file permet de spécifier le fichier de mots de passe à',
  '# utiliser',
  '',
].join('\n');

describeWalks('4.1 Authentification', (walk: Walk) => {
  const resources = useResources();

  async function start() {
    const files = { 'conf.d/auth.conf': authentication, 'conf.d/mon_mosquitto.conf': 'listener {port}\n' };
    const broker = await prepareBroker(resources, walk.broker, installedBroker(files));
    // Étape 1: mosquitto_passwd -c /etc/mosquitto/passwd sondes
    const made = await runTool(walk.tools, 'passwd', ['-c', join(broker.dir, 'passwd'), 'sondes'], {
      input: 'mot2passe\nmot2passe\n',
    });
    expect(made.status).toBe(0);
    expect(broker.read('passwd')).toMatch(/^sondes:\$[67]\$/);
    await broker.start();
    return { broker, port: ['-h', 'localhost', '-p', String(broker.port())] };
  }

  test('Étape 3. Tests: the right password publishes and subscribes', async () => {
    const { port } = await start();
    const user = [...port, '-u', 'sondes', '-P', 'mot2passe'];
    const subscriber = await subscribe(resources, walk.tools, ['-v', ...user, '-t', 'maison/+/valeur']);
    await publish(walk.tools, [...user, '-t', 'ctrlled', '-m', '1']);
    await publish(walk.tools, [...user, '-t', 'maison/bureau/valeur', '-m', 'Hello World #175']);
    await publish(walk.tools, [...user, '-q', '1', '-t', 'maison/bureau/valeur', '-m', 'Hello World #176']);
    expect(await subscriber.linesUntil('maison/bureau/valeur Hello World #176')).toEqual([
      'maison/bureau/valeur Hello World #175',
      'maison/bureau/valeur Hello World #176',
    ]);
  });

  test('Étape 3. Tests: a wrong password, an unknown name and no name are refused', async () => {
    const { port } = await start();
    const message = [...port, '-t', 'ctrlled', '-m', '0'];
    for (const user of [
      ['-u', 'sondes', '-P', 'mot3passe'],
      ['-u', 'sonde', '-P', 'mot2passe'],
      ['-u', 'sondes'],
      [],
    ]) {
      const refused = await runTool(walk.tools, 'pub', [...message, ...user]);
      expect(refused.stderr).toContain('Connection Refused: not authorised');
      expect(refused.status).toBe(5);
      const refused5 = await runTool(walk.tools, 'pub', ['-V', 'mqttv5', ...message, ...user]);
      expect(refused5.status).toBe(0x87);
    }
    await publish(walk.tools, [...message, '-u', 'sondes', '-P', 'mot2passe']);
  });

  test('Étape 1: without -c a name is added and a password is changed', async () => {
    const { broker, port } = await start();
    const file = join(broker.dir, 'passwd');
    await runTool(walk.tools, 'passwd', [file, 'bureau'], { input: 'secret\nsecret\n' });
    await runTool(walk.tools, 'passwd', ['-b', file, 'sondes', 'nouveau']);
    await broker.restart();
    const message = [...port, '-t', 'ctrlled', '-m', '1'];
    await publish(walk.tools, [...message, '-u', 'bureau', '-P', 'secret']);
    await publish(walk.tools, [...message, '-u', 'sondes', '-P', 'nouveau']);
    expect((await runTool(walk.tools, 'pub', [...message, '-u', 'sondes', '-P', 'mot2passe'])).status).toBe(5);
  });
});
