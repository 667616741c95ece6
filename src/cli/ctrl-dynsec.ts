/** `moustique_ctrl dynsec`: administers dynamic security in a running broker, and makes its file. */
import { dynsecControlTopic } from '../security/dynsec/control-topic.ts';
import { initFile, setPasswordInFile } from './ctrl-dynsec-file.ts';
import { type DynsecRow, dynsecRows, readWords, usageOf } from './ctrl-dynsec-rows.ts';
import type { ControlCommand, ControlModule } from './ctrl-module.ts';
import { askNewPassword } from './ctrl-password.ts';
import { request } from './ctrl-request.ts';
import { ExitCode } from './exit-code.ts';
import type { ToolIo } from './tool-io.ts';
import type { ToolOptions } from './tool-options.ts';
import { wrapText } from './wrap-text.ts';

const commandOf =
  (row: DynsecRow): ControlCommand =>
  async (words, options, io) => {
    if (options.dynsecFile !== undefined) return await inFile(row, options.dynsecFile, words, io);
    const members = readWords(row, words);
    if (members === undefined) {
      io.error(`Error: Invalid input.\nUsage: ${io.name} dynsec ${usageOf(row)}\n`);
      return ExitCode.Invalid;
    }
    let password = members['password'];
    if (password === undefined && row.asksPassword !== undefined) {
      const asked = await askNewPassword(String(members['username']), io, row.asksPassword === 'may be empty');
      if (typeof asked === 'string') {
        io.error(`${asked}\n`);
        return ExitCode.Success;
      }
      password = asked.length === 0 ? undefined : asked.toString();
    }
    warnOfOpenLine(options, io);
    const command = { command: row.name, ...members, ...(password === undefined ? {} : { password }) };
    const answer = await request(dynsecControlTopic, command, options, io);
    if ('text' in answer) {
      io.error(answer.text);
      return answer.status;
    }
    if (row.print !== undefined) io.stdout.text(row.print(answer.data));
    return ExitCode.Success;
  };

/** `-f FILE`: without a broker, the password alone can be changed. */
async function inFile(row: DynsecRow, file: string, words: readonly string[], io: ToolIo): Promise<number> {
  if (row.name === 'setClientPassword') return await setPasswordInFile(file, words, io);
  io.error(`Error: -f works with dynsec setClientPassword only.\n`);
  return ExitCode.Invalid;
}

/** Mosquitto says so wherever there is no TLS; on this machine nobody listens. */
function warnOfOpenLine({ tls, socketPath, host, carrier, port }: ToolOptions, io: ToolIo): void {
  const isTls = tls.caFile !== undefined || tls.caPath !== undefined || tls.psk !== undefined || tls.useOsCertificates;
  if (isTls || port === 8883 || socketPath !== undefined) return;
  if (host === undefined || host === 'localhost' || host === '::1' || host.startsWith('127.')) return;
  const what = carrier === 'websocket' ? 'WebSocket' : 'connection';
  io.error(
    `Warning: You are running ${io.name} without encryption.\n` +
      `Everybody on the way sees this ${what}, including passwords.\n\n`,
  );
}

export const dynsecModule: ControlModule = {
  commands: {
    init: async (words, _, io) => await initFile(words, io),
    ...Object.fromEntries(dynsecRows.map((row) => [row.name.toLowerCase(), commandOf(row)])),
  },
  help: (name) => {
    const line = (usage: string, help: string): string =>
      `  ${usage}\n${wrapText(help, 72)
        .map((text) => `      ${text}\n`)
        .join('')}`;
    const chapters = ['General', 'Clients', 'Groups', 'Roles'] as const;
    return [
      line('init FILE USERNAME [PASSWORD]', 'A new file with one client, which may administer dynamic security.'),
      ...chapters.map(
        (chapter) =>
          `\n  ${chapter}\n` +
          dynsecRows
            .filter((row) => row.chapter === chapter)
            .map((row) => line(usageOf(row), row.help))
            .join(''),
      ),
      `\n  Without a broker: ${name} -f FILE dynsec setClientPassword USERNAME [PASSWORD] [-i ITERATIONS]\n`,
    ].join('');
  },
};
