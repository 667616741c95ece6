/**
 * The endpoint `$CONTROL/broker/v1` (`enable_control_api`): commands in JSON, several in one request, one response for each.
 *
 * `listListeners` and `listPlugins` are Mosquitto's; `explainAcl` is ours.
 */
import type { AccessRules } from '../contracts/authorizer.ts';
import type { ControlClient, ControlHandler } from '../contracts/control.ts';
import type { Logger } from '../contracts/logger.ts';
import { type ControlResult, controlResponse, type Json, readControlRequest } from '../security/control-request.ts';
import { type AccessAction, accessActions, explainAccess } from '../security/explain-access.ts';

export const brokerControlTopic = '$CONTROL/broker/v1';

/** A listener as the endpoint shows it. */
export interface ControlledListener {
  readonly port: number;
  readonly host: string | null;
  readonly path: string | null;
  readonly protocol: string;
  readonly isTls: boolean;
  readonly rules: AccessRules | null;
}

/** A plugin as the endpoint shows it. */
export interface ControlledPlugin {
  readonly name: string;
  readonly 'control-endpoints': readonly string[];
}

/** Commands in one request that are answered; the rest is not looked at. */
const commandsMax = 1000;

/** @param listeners - those that are open now; @param plugins - those that are loaded */
export function brokerControl(
  listeners: () => readonly ControlledListener[],
  plugins: readonly ControlledPlugin[],
  logger: Logger,
): ControlHandler {
  return (client, payload) => {
    const { commands, fault } = readControlRequest(payload);
    const responses = commands.slice(0, commandsMax).map(({ name, members, correlationData }) => {
      const result = run(client, name, members, listeners, plugins);
      if (!('error' in result)) {
        logger.log('information', `Broker: ${client.clientId}/${client.username ?? ''} | ${name}`);
      }
      return controlResponse(name, result, correlationData);
    });
    return JSON.stringify({ responses: fault === null ? responses : [...responses, fault] });
  };
}

function run(
  client: ControlClient,
  command: string,
  entry: Json,
  listeners: () => readonly ControlledListener[],
  plugins: readonly ControlledPlugin[],
): ControlResult {
  switch (command.toLowerCase()) {
    case 'listlisteners':
      return { data: { listeners: listeners().map(listed) } };
    case 'listplugins':
      return { data: { plugins } };
    case 'explainacl':
      // Rules name other users: who was let in by one of them may ask, and who sits at the machine.
      if (client.rules === null && !client.isLocal) return { error: 'Not authorised' };
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
): ControlResult {
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
