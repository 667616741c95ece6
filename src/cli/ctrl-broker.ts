/** `moustique_ctrl broker`: what a running broker listens on. The layout is Mosquitto's. */
import type { ControlCommand, ControlModule } from './ctrl-module.ts';
import { request } from './ctrl-request.ts';
import { ExitCode } from './exit-code.ts';

const endpoint = '$CONTROL/broker/v1';

const listListeners: ControlCommand = async (args, options, io) => {
  if (args.length > 0) {
    io.error('Error: Invalid input.\n');
    return ExitCode.Invalid;
  }
  const answer = await request(endpoint, { command: 'listListeners' }, options, io);
  if ('text' in answer) {
    io.error(answer.text);
    return answer.status;
  }
  const { listeners } = answer.data;
  if (!Array.isArray(listeners)) return ExitCode.Success;
  for (const [index, listener] of (listeners as Record<string, unknown>[]).entries()) {
    const line = (title: string, value: unknown): string =>
      value === undefined ? '' : `  ${title.padEnd(19)}${String(value)}\n`;
    io.stdout.text(
      `Listener ${index + 1}:\n` +
        line('Port:', listener['port']) +
        line('Protocol:', listener['protocol']) +
        line('Socket path:', listener['socket-path']) +
        line('Bind address:', listener['bind-address']) +
        `${line('TLS:', listener['tls'])}\n`,
    );
  }
  return ExitCode.Success;
};

const listPlugins: ControlCommand = async (args, options, io) => {
  if (args.length > 0) {
    io.error('Error: Invalid input.\n');
    return ExitCode.Invalid;
  }
  const answer = await request(endpoint, { command: 'listPlugins' }, options, io);
  if ('text' in answer) {
    io.error(answer.text);
    return answer.status;
  }
  const { plugins } = answer.data;
  if (!Array.isArray(plugins)) return ExitCode.Success;
  for (const plugin of plugins as Record<string, unknown>[]) {
    const { name, version, 'control-endpoints': endpoints } = plugin;
    const line = (title: string, value: unknown): string => `${title.padEnd(19)}${String(value)}\n`;
    io.stdout.text(line('Plugin:', name) + (version === undefined ? '' : line('Version:', version)));
    for (const [index, topic] of (Array.isArray(endpoints) ? (endpoints as unknown[]) : []).entries()) {
      io.stdout.text(line(index === 0 ? 'Control endpoints:' : '', topic));
    }
  }
  return ExitCode.Success;
};

export const brokerModule: ControlModule = {
  commands: { listlisteners: listListeners, listplugins: listPlugins },
  help: () => '  listListeners   what the broker listens on\n  listPlugins     plugins that are loaded\n',
};
