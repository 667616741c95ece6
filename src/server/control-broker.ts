/**
 * The endpoint `$CONTROL/broker/v1` (`enable_control_api`): commands in JSON, several in one request, one response for each.
 *
 * `listListeners` and `listPlugins` are Mosquitto's; `explainAcl` is ours.
 */
import type { ControlClient, ControlHandler } from '../contracts/control.ts';
import type { Logger } from '../contracts/logger.ts';
import type { AclRules } from '../security/acl-check.ts';
import { type AccessAction, accessActions, explainAccess } from '../security/explain-access.ts';

export const brokerControlTopic = '$CONTROL/broker/v1';

/** A listener as the endpoint shows it. */
export interface ControlledListener {
  readonly port: number;
  readonly host: string | null;
  readonly path: string | null;
  readonly protocol: string;
  readonly isTls: boolean;
  readonly rules: AclRules | null;
}

type Json = { readonly [key: string]: unknown };

/** Commands in one request that are answered; the rest is not looked at. */
const commandsMax = 1000;

/** @param listeners - those that are open now */
export function brokerControl(listeners: () => readonly ControlledListener[], logger: Logger): ControlHandler {
  return (client, payload) => JSON.stringify({ responses: answer(client, payload, listeners, logger) });
}

function answer(
  client: ControlClient,
  payload: Buffer,
  listeners: () => readonly ControlledListener[],
  logger: Logger,
): Json[] {
  const fault = (error: string): Json => ({ command: 'Unknown command', error });
  let request: unknown;
  try {
    request = JSON.parse(payload.toString());
  } catch {
    return [fault('Payload not valid JSON')];
  }
  const commands = isObject(request) ? request['commands'] : undefined;
  if (!Array.isArray(commands)) return [fault('Invalid/missing commands')];
  const responses: Json[] = [];
  for (const entry of commands.slice(0, commandsMax) as unknown[]) {
    if (!isObject(entry)) return [...responses, fault('Command not an object')];
    const { command, correlationData } = entry;
    if (typeof command !== 'string') return [...responses, fault('Missing command')];
    if (correlationData !== undefined && typeof correlationData !== 'string') {
      return [...responses, { command, error: 'Invalid correlationData data type.' }];
    }
    const result = run(client, command, entry, listeners);
    if (!('error' in result)) {
      logger.log('information', `Broker: ${client.clientId}/${client.username ?? ''} | ${command}`);
    }
    responses.push({ command, ...result, ...(correlationData === undefined ? {} : { correlationData }) });
  }
  return responses;
}

function run(
  client: ControlClient,
  command: string,
  entry: Json,
  listeners: () => readonly ControlledListener[],
): { readonly data: Json } | { readonly error: string } {
  switch (command.toLowerCase()) {
    case 'listlisteners':
      return { data: { listeners: listeners().map(listed) } };
    case 'listplugins':
      return { data: { plugins: [] } };
    case 'explainacl':
      // Rules name other users: who was let in by one of them may ask, and who sits at the machine.
      if (!client.hasRights && !client.isLocal) return { error: 'Not authorised' };
      return explain(entry, listeners());
    default:
      return { error: 'Unknown command' };
  }
}

function listed({ port, host, path, protocol, isTls }: ControlledListener): Json {
  return {
    port,
    ...(protocol === 'mqtt' ? { protocol } : protocol === 'websockets' ? { protocol: 'mqtt+websockets' } : {}),
    ...(host === null ? {} : { 'bind-address': host }),
    ...(path === null ? {} : { 'socket-path': path }),
    tls: isTls,
  };
}

function explain(
  { clientid, username, topic, action, port }: Json,
  listeners: readonly ControlledListener[],
): { readonly data: Json } | { readonly error: string } {
  if (typeof clientid !== 'string') return { error: 'Invalid/missing clientid' };
  if (typeof topic !== 'string') return { error: 'Invalid/missing topic' };
  if (username !== undefined && typeof username !== 'string') return { error: 'Invalid username' };
  if (!isAction(action)) return { error: `Invalid/missing action: ${accessActions.join(', ')}` };
  const listener =
    port === undefined ? listeners.find(({ rules }) => rules !== null) : listeners.find((one) => one.port === port);
  if (listener === undefined && port !== undefined) return { error: 'No listener on this port' };
  const answered = explainAccess(listener?.rules ?? null, {
    clientId: clientid,
    username: username ?? null,
    topic,
    action,
  });
  if (typeof answered === 'string') return { error: answered };
  return { data: { ...answered } };
}

function isAction(action: unknown): action is AccessAction {
  return accessActions.some((known) => known === action);
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
