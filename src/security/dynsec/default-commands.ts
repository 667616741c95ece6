/** Commands about what holds where no role says anything, and about everything at once. */
import { isJsonObject, member } from '../control-request.ts';
import type { CommandRow } from './commands.ts';
import { CommandError } from './parameters.ts';
import { type DefaultAccess, defaultAccessTypes } from './state.ts';

export const defaultCommands: readonly CommandRow[] = [
  {
    name: 'setDefaultACLAccess',
    changes: true,
    run: (parameters, { draft }) => {
      const given = parameters.get('acls');
      if (!Array.isArray(given)) throw new CommandError('Missing/invalid actions array');
      const defaults: Record<string, boolean> = { ...draft.defaults };
      const log: string[] = [];
      for (const entry of given as unknown[]) {
        if (!isJsonObject(entry)) continue;
        const type = defaultAccessTypes.find((one) => one === member(entry, 'acltype'));
        const allow = member(entry, 'allow');
        if (type === undefined || typeof allow !== 'boolean') continue;
        defaults[type] = allow;
        log.push(`acltype=${type}`, `allow=${allow}`);
      }
      draft.setDefaults(defaults as DefaultAccess); // every name of the table, see above
      return { log };
    },
  },
  {
    name: 'getDefaultACLAccess',
    changes: false,
    run: (_, { draft }) => ({
      data: { acls: defaultAccessTypes.map((acltype) => ({ acltype, allow: draft.defaults[acltype] })) },
    }),
  },
  {
    name: 'getDetails',
    changes: false,
    run: (_, { draft }) => ({
      data: {
        clientCount: draft.clients.size,
        groupCount: draft.groups.size,
        roleCount: draft.roles.size,
        changeIndex: draft.changeIndex,
      },
    }),
  },
];
