import { expect, test } from 'vitest';
import { clientOptions } from './client-options.ts';
import { completionScript } from './completion.ts';

test.each(['bash', 'zsh', 'fish'] as const)('%s knows every option of every tool, under both names', (shell) => {
  const script = completionScript(shell);
  for (const tool of ['pub', 'sub', 'rr'] as const) {
    for (const name of [`moustique_${tool}`, `mosquitto_${tool}`]) expect(script).toContain(name);
    for (const flag of clientOptions.filter((row) => row.tools.includes(tool)).flatMap((row) => row.flags)) {
      expect(script).toContain(shell === 'fish' ? flag.replace(/^--?/, '') : flag);
    }
  }
});

test('fish takes names without their dashes', () => {
  expect(completionScript('fish')).toContain(
    "complete -c mosquitto_pub -s q -l qos -x -a '0 1 2' -d 'Quality of Service",
  );
});
