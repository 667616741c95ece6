/** What sub and rr do with their own options, against both brokers. */
import { beforeAll, describe, expect, test } from 'vitest';
import { main as pub } from '../../src/cli/pub.ts';
import { main as rr } from '../../src/cli/rr.ts';
import { main as sub } from '../../src/cli/sub.ts';
import { type BrokerName, startBroker, type TestBroker } from '../harness/brokers.ts';
import { describeWith } from '../harness/programs.ts';
import { useResources } from '../harness/resources.ts';
import { subscribe } from '../harness/tools.ts';
import { type InProcessOptions, type Outcome, runInProcess } from './in-process.ts';

describeWith(['mosquitto'], 'options of sub and rr', () => {
  for (const name of ['mosquitto', 'moustique'] satisfies readonly BrokerName[]) {
    describe(`with ${name}`, () => {
      const resources = useResources('end of file');
      let broker: TestBroker;
      beforeAll(async () => {
        broker = await startBroker(resources, name, { config: ['listener {port}', 'allow_anonymous true'] });
      });

      const place = () => ['-h', '127.0.0.1', '-p', String(broker.port())];
      const runSub = (words: readonly string[], options?: InProcessOptions): Promise<Outcome> =>
        runInProcess(sub, [...place(), ...words], options);
      async function publish(...words: string[]): Promise<void> {
        expect(await runInProcess(pub, [...place(), ...words])).toMatchObject({ status: 0, stderr: '' });
      }
      async function retain(topic: string, text: string): Promise<void> {
        await publish('-t', topic, '-m', text, '-r', '-q', '1');
      }

      test('-C counts what is printed, not what -T hides', async () => {
        for (const number of [1, 2, 3]) await retain(`count/${number}`, String(number));
        const outcome = await runSub([
          '-t',
          'count/1',
          '-t',
          'count/2',
          '-t',
          'count/3',
          '-T',
          'count/2',
          '-C',
          '2',
          '-v',
        ]);
        expect(outcome.stdout.split('\n').sort()).toEqual(['', 'count/1 1', 'count/3 3']);
        expect(outcome.status).toBe(0);
      });

      test('--retained-only ends at the first message that is not', async () => {
        await retain('only/kept', 'kept');
        const running = runSub(['-t', 'only/#', '--retained-only', '-q', '1']);
        await untilSubscribed('only/live');
        expect(await running).toMatchObject({ status: 0, stdout: 'kept\n' });
      });

      /** Publishes until somebody is subscribed. */
      async function untilSubscribed(topic: string): Promise<void> {
        for (;;) {
          const probe = await runInProcess(pub, [...place(), '-V', '5', '-t', topic, '-m', 'live', '-q', '1', '-d']);
          if (probe.stdout.includes('RC:0)')) return;
        }
      }

      test.each(['311', '5'])('-R leaves retained messages out, MQTT %s', async (version) => {
        await retain(`stale/${version}`, 'stale');
        const running = runSub(['-t', `stale/${version}`, '-R', '-C', '1', '-V', version]);
        await untilSubscribed(`stale/${version}`);
        expect(await running).toMatchObject({ status: 0, stdout: 'live\n' });
      });

      test('--remove-retained removes what it prints, and nothing else; with -C it ends', async () => {
        await retain('remove/a', 'a');
        await retain('remove/b', 'b');
        const removed = await runSub(['-t', 'remove/#', '-T', 'remove/b', '--remove-retained', '-v', '-C', '1']);
        expect(removed).toMatchObject({ status: 0, stdout: 'remove/a a\n' });
        const left = await runSub(['-t', 'remove/#', '-v', '-C', '1']);
        expect(left.stdout).toBe('remove/b b\n');
      });

      test('--retain-handling and --retain-as-published, MQTT 5.0', async () => {
        await retain('handling', 'old');
        const never = runSub(['-V', '5', '-t', 'handling', '--retain-handling', 'never', '-C', '1', '-F', '%r %p']);
        await untilSubscribed('handling');
        expect((await never).stdout).toBe('0 live\n');
        const always = await runSub([
          '-V',
          '5',
          '-t',
          'handling',
          '--retain-handling',
          'always',
          '-C',
          '1',
          '-F',
          '%r %p',
        ]);
        expect(always.stdout).toBe('1 old\n');
        const published = await subscribe(resources, 'moustique', [
          ...[...place(), '-V', '5', '-t', 'as-published', '--retain-as-published', '-C', '1', '-F', '%r'],
        ]);
        await retain('as-published', 'x');
        await published.process.ended;
        expect(published.lines).toEqual(['1']);
      });

      test('-U removes a subscription of the session, also alone', async () => {
        const session = ['-i', `unsubscribe-${name}`, '-c'];
        expect((await runSub([...session, '-t', 'gone', '-t', 'stays', '-q', '1', '-E'])).status).toBe(0);
        expect(await runSub([...session, '-U', 'gone', '-E'])).toMatchObject({ status: 0, stderr: '' });
        await publish('-t', 'gone', '-m', 'x', '-q', '1');
        await publish('-t', 'stays', '-m', 'y', '-q', '1');
        const outcome = await runSub([...session, '-t', 'stays', '-q', '1', '-C', '1', '-v']);
        expect(outcome.stdout).toBe('stays y\n');
      });

      test('-c keeps what comes while nobody listens', async () => {
        for (const version of ['31', '311', '5']) {
          const session = ['-V', version, '-i', `keep-${name}-${version}`, '-c', '-t', `keep/${version}`, '-q', '2'];
          await runSub([...session, '-E']);
          for (const qos of ['1', '2']) await publish('-t', `keep/${version}`, '-m', `qos ${qos}`, '-q', qos);
          expect((await runSub([...session, '-C', '2', '-F', '%q %p'])).stdout).toBe('1 qos 1\n2 qos 2\n');
        }
      });

      test('--random-filter prints the share that was asked for', async () => {
        const counted = runSub([
          '-t',
          'random/#',
          '-q',
          '1',
          '--random-filter',
          '25',
          '-W',
          '20',
          '-C',
          '250',
          '-F',
          'x',
        ]);
        await untilSubscribed('random/probe');
        const lines = Array.from({ length: 4000 }, () => 'x\n').join('');
        const sent = await runInProcess(pub, [...place(), '-t', 'random/x', '-q', '1', '-l'], { input: lines });
        expect(sent.status).toBe(0);
        // 250 of 4000 × 25 % come for certain; at 10 % of that they would not.
        expect((await counted).status).toBe(0);
      });

      test('--watch gives each topic a line', async () => {
        await retain('watch/a', 'one');
        await retain('watch/b', 'two');
        const outcome = await runSub(['-t', 'watch/a', '-t', 'watch/b', '--watch', '-v', '-C', '2']);
        expect(outcome.stdout).toMatch(
          // Clear, line 2 with the first topic, line 3 with the second.
          // oxlint-disable-next-line no-control-regex
          /^\x1b\[2J\x1b\[1;1H\x1b\[2;1H\x1b\[2Kwatch\/\w \w+\x1b\[3;1H\x1b\[3;1H\x1b\[2Kwatch\/\w \w+\x1b\[4;1H$/,
        );
      });

      test('--message-rate prints numbers only', async () => {
        const outcome = await runSub(['-t', '$SYS/#', '--message-rate', '-W', '3']);
        expect(outcome.stdout).toMatch(/^(?:\d+ msgs\/s\n)+$/);
        expect(outcome.status).toBe(27);
      });

      test('rr prints the response, with its time if asked, and waits no longer than told', async () => {
        const echo = ['-t', 'rr', '-e', 'rr', '-m', 'ping'];
        expect(await runInProcess(rr, [...place(), ...echo])).toMatchObject({ status: 0, stdout: 'ping\n' });
        const timed = await runInProcess(rr, [...place(), ...echo, '--latency']);
        expect(timed.stdout).toMatch(/^ping\nLatency: (?:\d+ns|[\d.]+(?:µs|ms|s))\n$/);
        const late = await runInProcess(rr, [...place(), '-t', 'nobody', '-e', 'answers', '-m', 'x', '-W', '1']);
        expect(late).toMatchObject({ status: 27, stdout: '', stderr: 'Timed out\n' });
      });

      test('rr tells the other side where to answer, and with what, MQTT 5.0', async () => {
        const service = await subscribe(resources, 'moustique', [
          ...[...place(), '-V', '5', '-t', 'service', '-C', '1', '-F', '%R %D %p'],
        ]);
        const request = runInProcess(rr, [
          ...[...place(), '-t', 'service', '-e', 'answer', '-m', 'question', '-W', '20'],
          ...['-D', 'publish', 'correlation-data', 'id7'],
        ]);
        await service.process.ended;
        expect(service.lines).toEqual(['answer id7 question']);
        await publish('-t', 'answer', '-m', '42');
        expect(await request).toMatchObject({ status: 0, stdout: '42\n' });
      });
    });
  }
});
