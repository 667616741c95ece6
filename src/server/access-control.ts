/**
 * Who may come in and what they may do, at every listener, through reloads.
 *
 * Connections refer to the {@link Place} of their listener, which stays; what is in it is replaced for all listeners in one
 * step, without a pause, so that no packet is judged by old rules in one place and new ones in another.
 */
import type { Clock } from '../base/clock.ts';
import type { Engine } from '../broker/engine.ts';
import { takeRules } from '../broker/rights.ts';
import { ReasonCode } from '../codec/reason-code.ts';
import type { Config } from '../config/config.ts';
import type { Connection } from '../connection/connection.ts';
import type { AuthenticationMethods, Authenticator, ConnectRequest } from '../contracts/authenticator.ts';
import type { ListenerAccess } from '../contracts/authorizer.ts';
import type { Logger } from '../contracts/logger.ts';
import { CheckQueue } from '../security/check-queue.ts';
import type { DynamicSecurity } from '../security/dynsec/dynamic-security.ts';
import {
  CurrentAuthenticator,
  ListenerAuthenticator,
  type PasswordChecks,
} from '../security/listener-authenticator.ts';
import { LoginThrottle } from '../security/login-throttle.ts';
import { type DerivedPolicy, policyOf } from './derive.ts';
import { usesDynsec } from './dynamic-security.ts';
import type { PskKeys } from './listener-tls.ts';
import { SecurityFiles } from './security-files.ts';
import { AuthenticationServices, waysInOf } from './ways-in.ts';

/** Password checks at a time: one core is left to the event loop, and threads of the pool to the disk. */
const checksMax = 3;
/** Password checks that may wait: more would not be answered before their clients are given up. */
const checksWaitingMax = 10_000;

/** What a listener keeps through reloads. */
export interface Place {
  readonly access: ListenerAccess;
  readonly authenticator: CurrentAuthenticator;
  readonly psk: PskKeys;
}

export class AccessControl {
  readonly #logger: Logger;
  readonly #dynsec: DynamicSecurity | null;
  readonly #embedded: Authenticator | undefined;
  readonly #methods: AuthenticationMethods | undefined;
  readonly #allowSymlinks: boolean;
  readonly #checks: PasswordChecks;
  /** In the order of the listeners. */
  readonly #places: Place[] = [];
  /** Connection → the authenticator that let it in, or found that it still may be. */
  readonly #admittedBy = new WeakMap<Connection, ListenerAuthenticator>();
  readonly #services: AuthenticationServices;
  readonly #nowMs: () => number;
  #reloads = 0;

  /**
   * @param embedded - asked instead of the listeners' own files
   * @param methods - of enhanced authentication, beside those of the configuration
   */
  constructor(
    {
      clock,
      logger,
      dynsec,
    }: { readonly clock: Clock; readonly logger: Logger; readonly dynsec: DynamicSecurity | null },
    embedded: Authenticator | undefined,
    methods: AuthenticationMethods | undefined,
    allowSymlinks: boolean,
    cores: number,
  ) {
    this.#logger = logger;
    this.#dynsec = dynsec;
    this.#embedded = embedded;
    this.#methods = methods;
    this.#allowSymlinks = allowSymlinks;
    this.#checks = {
      queue: new CheckQueue(Math.max(1, Math.min(checksMax, cores - 1)), checksWaitingMax),
      throttle: new LoginThrottle(clock, (address, seconds) => {
        const text = `Warning: Too many bad passwords from ${address}: its next attempts wait ${seconds} s.`;
        logger.log('warning', text);
      }),
      randomBytes: (count) => clock.randomBytes(count),
      tellBadToken: badTokenTeller(clock, logger),
    };
    this.#services = new AuthenticationServices(clock, logger);
    this.#nowMs = () => clock.nowMs();
  }

  /**
   * The policies of all listeners; nothing is in force yet. Warnings about the files are logged.
   *
   * @throws StartError - 13 when a file cannot be read, 3 when a line of it is wrong
   */
  prepare(config: Config): readonly DerivedPolicy[] {
    const files = new SecurityFiles(this.#allowSymlinks);
    this.#services.begin();
    const policies = config.listeners.map((listener, index) => {
      const dynsec = usesDynsec(config, listener) ? this.#dynsec : null;
      const ways = waysInOf(listener, files, { services: this.#services, dynsec, nowMs: this.#nowMs });
      const derived = policyOf(listener, config, files, this.#checks, ways, this.#placeOf(index));
      const policy =
        this.#methods === undefined
          ? derived
          : {
              ...derived,
              authenticationMethods: new Map([...(derived.authenticationMethods ?? []), ...this.#methods]),
            };
      return this.#embedded === undefined
        ? policy
        : { ...policy, authenticator: this.#embedded, remembersPasswords: false };
    });
    for (const line of files.warnings) this.#logger.log('warning', line);
    return policies;
  }

  /**
   * Puts policies into force, for clients that are connected as well: those who would not be let in any more are
   * disconnected; where that takes a password check, a moment later.
   */
  apply(engine: Engine, policies: readonly DerivedPolicy[], connections: Iterable<Connection>): void {
    const before = this.#places.map(({ authenticator, psk }) => ({ authenticator: authenticator.current, ...psk }));
    for (const [index, { rules, ownAuthenticator, pskKeys }] of policies.entries()) {
      const place = this.#placeOf(index);
      place.access.rules = rules;
      place.psk.keys = pskKeys;
      place.authenticator.current = ownAuthenticator;
    }
    this.#services.settle();
    takeRules(engine, this.rules);
    this.#reloads++;
    if (this.#embedded !== undefined) return;
    const later: (() => Promise<void>)[] = [];
    for (const connection of [...connections]) {
      const index = this.#places.findIndex(({ access }) => access === connection.policy.access);
      const policy = policies[index];
      const old = before[index];
      const { client } = connection;
      if (policy === undefined || old === undefined || client === null) continue;
      const { pskIdentity = null } = connection.transport.peer.tls ?? {};
      if (pskIdentity !== null && !isSameKey(old.keys.get(pskIdentity), policy.pskKeys.get(pskIdentity))) {
        connection.disconnect(ReasonCode.NotAuthorized);
        continue;
      }
      const admittedBy = this.#admittedBy.get(connection) ?? old.authenticator;
      this.#admittedBy.set(connection, admittedBy);
      const { username, clientId, address, protocolVersion } = client;
      const shown: ConnectRequest = {
        ...{ clientId, username, address, protocolVersion, listenerPort: policy.port },
        password: connection.password,
        hasCertificateIdentity: policy.useCertificateIdentity && username !== null,
      };
      const settle = (isAllowed: boolean): void => {
        if (isAllowed) this.#admittedBy.set(connection, policy.ownAuthenticator);
        else connection.disconnect(ReasonCode.NotAuthorized);
      };
      const verdict = policy.ownAuthenticator.stillAllows(shown, admittedBy);
      if (typeof verdict === 'boolean') settle(verdict);
      else later.push(async () => settle(await verdict()));
    }
    void this.#settleAll(later);
  }

  /** The rules of every listener. */
  get rules(): readonly ListenerAccess[] {
    return this.#places.map(({ access }) => access);
  }

  /** What all listeners check passwords with. */
  get checks(): PasswordChecks {
    return this.#checks;
  }

  /** Whether the program that embeds the broker says who comes in. */
  get isEmbedded(): boolean {
    return this.#embedded !== undefined;
  }

  /** Where the listener's pre-shared keys are looked up. */
  pskKeysOf(index: number): PskKeys {
    return this.#placeOf(index).psk;
  }

  /** Lets go of whoever still waits. */
  close(): void {
    this.#reloads++;
    this.#checks.throttle.close();
    this.#services.close();
  }

  /** One after the other, so that clients who want to come in are not behind all of them. */
  async #settleAll(later: readonly (() => Promise<void>)[]): Promise<void> {
    const reload = this.#reloads;
    for (const settle of later) {
      // A newer reload asks about everybody again.
      if (reload !== this.#reloads) return;
      await settle();
    }
  }

  #placeOf(index: number): Place {
    const noWay = { dynsec: null, users: null, tokens: null, service: null, allowAnonymous: false };
    const nobody = new ListenerAuthenticator(noWay, this.#checks);
    return (this.#places[index] ??= {
      access: { rules: null },
      authenticator: new CurrentAuthenticator(nobody),
      psk: { keys: new Map() },
    });
  }
}

/** Says why a token lets nobody in, once a second at most. */
function badTokenTeller(clock: Clock, logger: Logger): PasswordChecks['tellBadToken'] {
  let nextMs = 0;
  return ({ address, clientId }, problem) => {
    const nowMs = clock.monotonicMs();
    if (nowMs < nextMs) return;
    nextMs = nowMs + 1000;
    logger.log('notice', `The token of client ${clientId} [${address}] lets nobody in: ${problem}.`);
  };
}

function isSameKey(before: Buffer | undefined, now: Buffer | undefined): boolean {
  return before !== undefined && now !== undefined && before.equals(now);
}
