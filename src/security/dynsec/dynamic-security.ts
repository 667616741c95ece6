/**
 * Dynamic security in force: the state of the moment, who may log in by it, what they may do, and the endpoint that changes it.
 *
 * Requests are carried out one after the other. What a request changes is on disk before it is in force and before it is
 * answered; when it cannot be written, nothing has happened and every command that changed something is answered with an error.
 */
import type { Clock } from '../../base/clock.ts';
import { othersFirst } from '../../base/in-batches.ts';
import type { MaybePromise } from '../../base/maybe-promise.ts';
import type { AccessReason, AccessRules, Action, Rights } from '../../contracts/authorizer.ts';
import type { ControlClient } from '../../contracts/control.ts';
import type { Logger } from '../../contracts/logger.ts';
import type { Publisher } from '../../contracts/message.ts';
import {
  type ControlCommand,
  type ControlResult,
  controlResponse,
  type Json,
  readControlRequest,
} from '../control-request.ts';
import { type CommandContext, findCommand } from './commands.ts';
import { type Affected, Draft } from './draft.ts';
import { DynsecRights, RoleChain, RoleChains } from './evaluate.ts';
import { formatDocument } from './format-document.ts';
import { CommandError, Parameters } from './parameters.ts';
import type { Account, SecurityState } from './state.ts';
import { writeDocument } from './write-document.ts';

/** Characters of the answers to one request; what is asked for beyond is refused, so that a request cannot fill the memory. */
const answerCharsMax = 64 * 1024 * 1024;
/** Commands that are carried out before others have their turn. */
const commandsPerTurn = 100;

/** What a change means for the broker. */
export interface DynsecSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Addresses of connected clients by user name (null: without one). */
  readonly addresses: () => ReadonlyMap<string | null, readonly string[]>;
  /** Rights are others now. Called before the answer goes out. */
  readonly onChange: (affected: Affected) => void;
  /** Called when the answer is out. */
  readonly onKick: (usernames: ReadonlySet<string | null>) => void;
}

/** What the state says about a login: `unknown` leaves it to others. */
export type LoginVerdict = 'unknown' | 'refused' | Account;

const nothing: AccessDefaults = {
  publishClientSend: false,
  publishClientReceive: false,
  subscribe: false,
  unsubscribe: false,
};
type AccessDefaults = SecurityState['defaults'];
const noRoles = new RoleChain([]);

export class DynamicSecurity {
  readonly #fileName: string;
  readonly #chains = new RoleChains();
  #state: SecurityState;
  #surroundings: DynsecSurroundings | null = null;
  /** The request that is carried out, or was last; never rejected. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param fileName - where it is written */
  constructor(state: SecurityState, fileName: string) {
    this.#state = state;
    this.#fileName = fileName;
  }

  /** The broker stands; requests may come. */
  attach(surroundings: DynsecSurroundings): void {
    this.#surroundings = surroundings;
  }

  /**
   * Whether somebody of that name may come in with that Client Identifier, but for the password.
   *
   * @param username - null: a client without a user name
   */
  login(username: string | null, clientId: string): LoginVerdict {
    const account = username === null ? undefined : this.#state.clients.get(username);
    if (account === undefined) return 'unknown';
    if (account.isDisabled || (account.clientId !== null && account.clientId !== clientId)) return 'refused';
    return account;
  }

  knows(username: string): boolean {
    return this.#state.clients.has(username);
  }

  /** The rules of a listener. @param next - who is asked where these do not decide; null: then it is denied */
  rules(next: AccessRules | null): DynsecRules {
    return new DynsecRules(this, next);
  }

  rightsOf(client: Publisher, next: Rights | null): Rights {
    const { username } = client;
    const account = username === null ? null : this.#state.clients.get(username);
    // Whom nobody knows here: only others can allow it something.
    if (account === undefined) return next ?? this.#rights(noRoles, nothing, client, null);
    return this.#rights(this.#chains.of(this.#state, account), this.#state.defaults, client, next);
  }

  /** Answers a request; see `ControlHandler`. For clients of other listeners the endpoint is not there. */
  handle(client: ControlClient, payload: Buffer): MaybePromise<string | null> {
    const { rules } = client;
    if (!(rules instanceof DynsecRules) || rules.security !== this) return null;
    const { commands, fault } = readControlRequest(payload);
    const turn = this.#last.then(() => this.#carryOut(client, commands, fault));
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Waits for the request that is carried out. */
  async close(): Promise<void> {
    await this.#last;
  }

  #rights(chain: RoleChain, defaults: AccessDefaults, client: Publisher, next: Rights | null): Rights {
    return new DynsecRights({ chain, defaults, fileName: this.#fileName }, client, next);
  }

  async #carryOut(client: ControlClient, commands: readonly ControlCommand[], fault: Json | null): Promise<string> {
    const surroundings = this.#surroundings;
    if (surroundings === null) return '{"responses":[]}';
    const { clock, logger, addresses } = surroundings;
    const draft = new Draft(this.#state);
    let known: CommandContext['addresses'] | null = null;
    const context: CommandContext = {
      draft,
      get addresses() {
        known ??= addresses();
        return known;
      },
    };
    const answers: { readonly text: string; readonly command: ControlCommand; readonly changes: boolean }[] = [];
    const lines: string[] = [];
    let chars = 0;
    for (const [index, command] of commands.entries()) {
      if (index % commandsPerTurn === commandsPerTurn - 1) await othersFirst(clock);
      const row = findCommand(command.name);
      const name = row?.name ?? command.name;
      let result: ControlResult = { error: 'Unknown command' };
      let changes = false;
      if (chars > answerCharsMax) {
        result = { error: 'The answers to this request are too long' };
      } else if (row !== undefined) {
        try {
          const { data, log = [] } = await row.run(new Parameters(command.members), context);
          result = data === undefined ? {} : { data };
          changes = row.changes;
          if (changes) draft.changed();
          lines.push(`dynsec: ${client.clientId}/${client.username ?? ''} | ${[name, ...log].join(' | ')}`);
        } catch (error) {
          if (!(error instanceof CommandError)) throw error;
          result = { error: error.message };
        }
      }
      const text = JSON.stringify(controlResponse(name, result, command.correlationData));
      chars += text.length;
      answers.push({ text, command: { ...command, name }, changes });
    }
    const state = draft.finish();
    const problem = state === this.#state ? null : await this.#write(state);
    if (problem === null) {
      for (const line of lines) logger.log('information', line);
      if (state !== this.#state) this.#take(state, draft.affected, surroundings);
    } else {
      logger.log('error', `Error: Unable to write ${this.#fileName}: ${problem}. Nothing has changed.`);
    }
    const texts = answers.map(({ text, command: { name, correlationData }, changes }) =>
      problem === null || !changes
        ? text
        : JSON.stringify(controlResponse(name, { error: 'Internal error' }, correlationData)),
    );
    if (fault !== null) texts.push(JSON.stringify(fault));
    return `{"responses":[${texts.join(',')}]}`;
  }

  /** @returns why it cannot be written, null when it was */
  async #write(state: SecurityState): Promise<string | null> {
    try {
      await writeDocument(this.#fileName, () => formatDocument(state));
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #take(state: SecurityState, affected: Affected, { clock, onChange, onKick }: DynsecSurroundings): void {
    this.#state = state;
    onChange(affected);
    // The answer is published before that.
    if (affected.kicked.size > 0) clock.soon(() => onKick(affected.kicked));
  }
}

/** Dynamic security in front of the rules that a listener has beside it. */
export class DynsecRules implements AccessRules {
  readonly security: DynamicSecurity;
  readonly #next: AccessRules | null;

  constructor(security: DynamicSecurity, next: AccessRules | null) {
    this.security = security;
    this.#next = next;
  }

  rightsOf(client: Publisher): Rights {
    return this.security.rightsOf(client, this.#next?.rightsOf(client) ?? null);
  }

  explain(client: Publisher, action: Action, topic: string): AccessReason {
    const rights = this.rightsOf(client);
    const verdict = rights.decide(action, topic);
    const near = verdict < 0 && this.#next !== null ? this.#next.explain(client, action, topic).nearest : null;
    return { isAllowed: verdict > 0, reason: rights.describe(verdict), nearest: near };
  }
}
