/** The ways in of a listener, from its configuration and files. */
import type { Clock } from '../base/clock.ts';
import type { ListenerConfig } from '../config/config.ts';
import type { Logger } from '../contracts/logger.ts';
import type { DynamicSecurity } from '../security/dynsec/dynamic-security.ts';
import { HttpAuthenticator } from '../security/http-authenticator.ts';
import type { WaysIn } from '../security/listener-authenticator.ts';
import { malformed } from '../security/security-file.ts';
import { TokenAuthenticator } from '../security/token-authenticator.ts';
import type { SecurityFiles } from './security-files.ts';
import { StartError } from './start-error.ts';

/** Web services that are asked, each once however many listeners name it; what is known of one survives a reload. */
export class AuthenticationServices {
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** Fingerprint → service. */
  #known = new Map<string, HttpAuthenticator>();
  #next = new Map<string, HttpAuthenticator>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** A new configuration is prepared: what is asked for from now on belongs to it. */
  begin(): void {
    this.#next = new Map();
  }

  /** The configuration is in force: services that it does not name are let go, the others ask again. */
  settle(): void {
    for (const [fingerprint, service] of this.#known) {
      if (this.#next.has(fingerprint)) service.forget();
      else service.close();
    }
    this.#known = this.#next;
  }

  /** The service of a listener, null when it has none. @throws StartError - 13 when its file cannot be read */
  of(listener: ListenerConfig, files: SecurityFiles): HttpAuthenticator | null {
    const { moustiqueAuthHttpUrl: url, moustiqueAuthHttpCafile: caFile } = listener;
    if (url === null) return null;
    const settings = {
      url,
      timeoutMs: listener.moustiqueAuthHttpTimeout * 1000,
      rememberMs: listener.moustiqueAuthHttpCache * 1000,
      ca: caFile === null ? null : files.authorities(caFile),
    };
    const made = new HttpAuthenticator(settings, this.#clock, (level, text) => this.#logger.log(level, text));
    const { fingerprint } = made;
    const service = this.#next.get(fingerprint) ?? this.#known.get(fingerprint) ?? made;
    this.#next.set(fingerprint, service);
    return service;
  }

  close(): void {
    for (const service of this.#known.values()) service.close();
  }
}

interface WaysInNeeds {
  /** null: the listener does not ask it */
  readonly dynsec: DynamicSecurity | null;
  readonly services: AuthenticationServices;
  readonly nowMs: () => number;
}

/** @throws StartError - 13 when a file cannot be read, 3 when its content is wrong */
export function waysInOf(
  listener: ListenerConfig,
  files: SecurityFiles,
  { dynsec, services, nowMs }: WaysInNeeds,
): WaysIn {
  return {
    dynsec,
    users: listener.passwordFile === null ? null : files.users(listener.passwordFile),
    tokens: tokensOf(listener, files, nowMs),
    service: services.of(listener, files),
    allowAnonymous: listener.allowAnonymous,
  };
}

function tokensOf(listener: ListenerConfig, files: SecurityFiles, nowMs: () => number): TokenAuthenticator | null {
  const { moustiqueAuthJwtKeyFile: file, moustiqueAuthJwtAlgorithms: wanted } = listener;
  if (file === null) return null;
  const keys = files.tokenKeys(file);
  const algorithms = keys.algorithms.filter((name) => wanted === null || wanted.includes(name));
  if (algorithms.length === 0) {
    throw new StartError(
      [
        `Error: None of moustique_auth_jwt_algorithms fits the key in "${file}", with which tokens are signed by ${keys.algorithms.join(', ')}.`,
      ],
      malformed,
    );
  }
  return new TokenAuthenticator(
    {
      keys,
      algorithms,
      issuer: listener.moustiqueAuthJwtIssuer,
      audience: listener.moustiqueAuthJwtAudience,
      requiredClaims: listener.moustiqueAuthJwtRequiredClaims,
      usernameClaim: listener.moustiqueAuthJwtUsernameClaim,
    },
    nowMs,
  );
}
