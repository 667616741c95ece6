/** Dynamic security of a broker: which listeners have it, its file, and what its changes mean for those who are connected. */
import { takeRules, takeRulesOf } from '../broker/rights.ts';
import { dropWill } from '../broker/will.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import { builtInPlugin, pluginFile, pluginOption } from '../config/built-in-plugins.ts';
import type { Config, ListenerConfig, PluginConfig } from '../config/config.ts';
import type { Hub } from '../connection/hub.ts';
import type { ListenerAccess } from '../contracts/authorizer.ts';
import type { Logger } from '../contracts/logger.ts';
import { dynsecControlTopic } from '../security/dynsec/control-topic.ts';
import type { DynamicSecurity } from '../security/dynsec/dynamic-security.ts';
import { SecurityFileError } from '../security/security-file.ts';
import { StartError } from './start-error.ts';

/** As `listPlugins` shows it. */
export const dynsecAsPlugin = { name: 'dynamic-security', 'control-endpoints': [dynsecControlTopic] } as const;

/** What is needed to open the file. */
export interface DynsecEnvironment {
  readonly logger: Logger;
  readonly allowSymlinks: boolean;
  /** `MOSQUITTO_DYNSEC_PASSWORD`, for a file that has to be made. */
  readonly firstPassword: string | undefined;
}

const dynsecName = 'mosquitto_dynamic_security';

/** Whether a listener asks dynamic security. */
export function usesDynsec({ plugins }: Pick<Config, 'plugins'>, listener: ListenerConfig): boolean {
  return [...plugins, ...listener.plugins].some(isActive);
}

function isActive(plugin: PluginConfig): boolean {
  return builtInPlugin(plugin) === dynsecName && pluginFile([plugin], dynsecName) !== null;
}

function activePlugin(config: Config): PluginConfig | undefined {
  return [...config.plugins, ...config.listeners.flatMap(({ plugins }) => plugins)].find(isActive);
}

/** The file of a configuration; null when it asks for no dynamic security. */
export function dynsecFileOf(config: Config): string | null {
  const plugin = activePlugin(config);
  return plugin === undefined ? null : pluginFile([plugin], dynsecName);
}

/**
 * Opens the file that the configuration names, and makes it when there is none.
 *
 * @returns null when dynamic security is not configured
 * @throws StartError - 13 when the file cannot be read or made, 3 when it is not understood
 */
export async function openDynsec(config: Config, environment: DynsecEnvironment): Promise<DynamicSecurity | null> {
  const plugin = activePlugin(config);
  if (plugin === undefined) return null;
  const configFile = pluginFile([plugin], dynsecName);
  if (configFile === null) return null;
  const [{ openDocument }, { DynamicSecurity }] = await Promise.all([
    import('../security/dynsec/open-document.ts'),
    import('../security/dynsec/dynamic-security.ts'),
  ]);
  const { logger, allowSymlinks, firstPassword } = environment;
  logger.log('information', `Loading plugin: ${plugin.path}`);
  try {
    const first = { initFile: pluginOption(plugin, 'password_init_file'), fromEnvironment: firstPassword };
    const { state, notices, warnings } = await openDocument(configFile, allowSymlinks, first);
    for (const line of notices) logger.log('notice', line);
    for (const line of warnings) logger.log('warning', line);
    return new DynamicSecurity(state, configFile);
  } catch (error) {
    if (!(error instanceof SecurityFileError)) throw error;
    throw new StartError(error.lines, error.exitCode, { cause: error });
  }
}

/** Connects dynamic security with the engine. @param places - the rules of every listener */
export function attachDynsec(dynsec: DynamicSecurity, hub: Hub, places: () => readonly ListenerAccess[]): void {
  const { engine } = hub;
  engine.controls.set(dynsecControlTopic, (client, payload) => dynsec.handle(client, payload));
  dynsec.attach({
    clock: engine.clock,
    logger: engine.logger,
    addresses: () => {
      const addresses = new Map<string | null, string[]>();
      for (const { client, outward } of hub.connections) {
        if (client === null || outward !== null) continue;
        const known = addresses.get(client.username);
        if (known === undefined) addresses.set(client.username, [client.address]);
        else known.push(client.address);
      }
      return addresses;
    },
    onChange: ({ everyone, users }) => {
      if (everyone) takeRules(engine, places());
      takeRulesOf(engine, users);
    },
    onKick: (usernames) => {
      for (const connection of [...hub.connections]) {
        const { client, session, outward } = connection;
        // To a bridge of ours no rules apply.
        if (client === null || outward !== null || !usernames.has(client.username)) continue;
        // Mosquitto: who is kicked leaves no Will.
        if (session !== null) dropWill(engine, session);
        connection.disconnect(ReasonCode.AdministrativeAction);
      }
    },
  });
}
