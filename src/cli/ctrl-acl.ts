/** `moustique_ctrl acl explain`: why a client may or may not do something, by a running broker or by a configuration file. */
import { ConfigErrors } from '../config/config-error.ts';
import { parseConfigFile } from '../config/load-config.ts';
import { DynamicSecurity } from '../security/dynsec/dynamic-security.ts';
import { readDocument } from '../security/dynsec/open-document.ts';
import { type AccessAction, type AccessAnswer, accessActions, explainAccess } from '../security/explain-access.ts';
import { SecurityFileError } from '../security/security-file.ts';
import { dynsecFileOf, usesDynsec } from '../server/dynamic-security.ts';
import { SecurityFiles } from '../server/security-files.ts';
import { StartError } from '../server/start-error.ts';
import type { ControlCommand, ControlModule } from './ctrl-module.ts';
import { request } from './ctrl-request.ts';
import { ExitCode, USAGE_STATUS } from './exit-code.ts';
import type { ToolIo } from './tool-io.ts';

/** Exit status for "denied", so that scripts need not read the text. */
export const deniedStatus = 5;

/** What is asked. */
interface Question {
  clientId: string;
  username: string | null;
  topic: string | null;
  action: AccessAction | null;
  port: number | null;
  configFile: string | null;
  isJson: boolean;
}

const explain: ControlCommand = async (args, options, io) => {
  const question = readQuestion(args);
  if (typeof question === 'string') {
    io.error(`Error: ${question}\n`);
    return USAGE_STATUS;
  }
  const { topic, action, configFile, clientId, username, port } = question;
  if (topic === null || action === null) {
    io.error(`Error: --topic and --action (${accessActions.join(', ')}) are needed.\n`);
    return USAGE_STATUS;
  }
  if (configFile !== null) {
    return tell(byFile({ ...question, topic, action }, configFile, io), question, io);
  }
  const answer = await request(
    '$CONTROL/broker/v1',
    {
      command: 'explainAcl',
      clientid: clientId,
      topic,
      action,
      ...(username === null ? {} : { username }),
      ...(port === null ? {} : { port }),
    },
    options,
    io,
  );
  if ('text' in answer) {
    io.error(answer.text);
    return answer.status === 0 ? ExitCode.Unknown : answer.status;
  }
  const { allowed, decidedBy, nearest } = answer.data;
  return tell(
    {
      allowed: allowed === true,
      decidedBy: String(decidedBy),
      nearest: typeof nearest === 'string' ? nearest : null,
    },
    question,
    io,
  );
};

export const aclModule: ControlModule = {
  commands: { explain },
  help: (name) =>
    [
      '  explain --client ID [--user NAME] --topic TOPIC --action read|write|subscribe',
      '          [-c FILE] [--listener PORT] [--json]',
      '      Says whether the client may, which line decided, and which line comes closest to allowing it.',
      '      With -c by a configuration file; else by the running broker, which needs enable_control_api true.',
      `      Exit status: 0 allowed, ${deniedStatus} denied, something else when it cannot be told.`,
      `      Example: ${name} acl explain --client tank1 --user anne --topic tank/1/level --action write`,
      '',
    ].join('\n'),
};

/** @returns in words what is wrong */
function readQuestion(args: readonly string[]): Question | string {
  const question: Question = {
    clientId: '',
    username: null,
    topic: null,
    action: null,
    port: null,
    configFile: null,
    isJson: false,
  };
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? '';
    if (word === '--json') {
      question.isJson = true;
      continue;
    }
    const value = args[++index];
    if (value === undefined) return `${word} needs a value.`;
    switch (word) {
      case '--client':
        question.clientId = value;
        break;
      case '--user':
        question.username = value;
        break;
      case '--topic':
        question.topic = value;
        break;
      case '--action': {
        const action = accessActions.find((known) => known === value);
        if (action === undefined) return `--action is one of ${accessActions.join(', ')}, not '${value}'.`;
        question.action = action;
        break;
      }
      case '--listener':
        if (!/^\d{1,5}$/.test(value)) return `--listener is a port, not '${value}'.`;
        question.port = Number(value);
        break;
      case '-c':
      case '--config-file':
        question.configFile = value;
        break;
      default:
        return `Unknown option '${word}'.`;
    }
  }
  return question;
}

type Failure = { readonly lines: readonly string[]; readonly status: number };

/** By the files as they are now, which a running broker may have read before they were changed. */
function byFile(
  { clientId, username, topic, action, port }: Question & { readonly topic: string; readonly action: AccessAction },
  path: string,
  io: ToolIo,
): AccessAnswer | Failure {
  try {
    const { config } = parseConfigFile(path, { acceptUnsupported: true });
    const { listeners } = config;
    const listener =
      port === null
        ? (listeners.find((one) => one.aclFile !== null || usesDynsec(config, one)) ?? listeners[0])
        : listeners.find((one) => one.port === port);
    if (listener === undefined) return { lines: [`Error: ${path} has no listener on port ${port}.`], status: 1 };
    const allowSymlinks = io.environment['MOSQUITTO_UNSAFE_ALLOW_SYMLINKS'] !== undefined;
    const files = new SecurityFiles(allowSymlinks);
    const ofFile = listener.aclFile === null ? null : files.rules(listener.aclFile);
    const dynsec = usesDynsec(config, listener) ? dynsecFileOf(config) : null;
    const rules =
      dynsec === null ? ofFile : new DynamicSecurity(readDocument(dynsec, allowSymlinks).state, dynsec).rules(ofFile);
    const mounted = `${listener.mountPoint ?? ''}${topic}`;
    const answer = explainAccess(rules, { clientId, username, topic: mounted, action });
    return typeof answer === 'string' ? { lines: [`Error: ${answer}.`], status: USAGE_STATUS } : answer;
  } catch (error) {
    if (error instanceof ConfigErrors || error instanceof StartError || error instanceof SecurityFileError) {
      return { lines: error.lines, status: error.exitCode };
    }
    throw error;
  }
}

/** @returns the exit status */
function tell(answer: AccessAnswer | Failure, { isJson }: Question, io: ToolIo): number {
  if ('lines' in answer) {
    io.error(answer.lines.map((line) => `${line}\n`).join(''));
    return answer.status;
  }
  if (isJson) {
    io.stdout.text(`${JSON.stringify(answer)}\n`);
  } else {
    const { allowed, decidedBy, nearest } = answer;
    io.stdout.text(`${allowed ? 'allowed' : 'denied'}\ndecided by: ${decidedBy}\n`);
    if (!allowed) io.stdout.text(`nearest:    ${nearest ?? 'no line comes near'}\n`);
  }
  return answer.allowed ? ExitCode.Success : deniedStatus;
}
