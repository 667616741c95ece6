/** A broker with an HTTP listener, and a client of its interface that behaves as a browser does with cookies and tokens. */
import { startBroker, type TestBroker } from '../harness/brokers.ts';
import type { Resources } from '../harness/resources.ts';
import { waitFor } from '../harness/wait.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; fails when it is none. */
  json(): unknown;
}

export class ConsoleClient {
  readonly base: string;
  /** `name=value`, once logged in. */
  cookie = '';
  csrf = '';

  constructor(port: number, scheme: 'http' | 'https' = 'http') {
    this.base = `${scheme}://127.0.0.1:${port}`;
  }

  /** @param body - sent as JSON; absent: none */
  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(this.base + path, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(this.cookie === '' ? {} : { Cookie: this.cookie }),
        ...(this.csrf === '' || method === 'GET' ? {} : { 'X-CSRF-Token': this.csrf }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: () => JSON.parse(text) as unknown,
    };
  }

  async get<T = Record<string, unknown>>(path: string): Promise<T> {
    const answer = await this.ask('GET', `/api/v1${path}`);
    if (answer.status !== 200) throw new Error(`GET ${path}: ${answer.status} ${answer.text}`);
    return answer.json() as T; // the test says what it expects
  }

  async post<T = Record<string, unknown>>(path: string, body: unknown = {}): Promise<T> {
    const answer = await this.ask('POST', `/api/v1${path}`, body);
    if (answer.status !== 200) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
    return answer.json() as T; // the test says what it expects
  }

  /** Takes the session that an answer began. */
  enter(answer: Answer): void {
    this.cookie = answer.headers.get('set-cookie')?.split(';', 1)[0] ?? '';
    this.csrf = (answer.json() as { csrf: string }).csrf;
  }

  async logIn(username: string, password: string): Promise<Answer> {
    const answer = await this.ask('POST', '/api/v1/session', { username, password });
    if (answer.status === 200) this.enter(answer);
    return answer;
  }
}

/** Users of {@link startWithUsers}; each password is the name with `-secret` behind it. */
export const userNames = ['vera', 'otto', 'ada', 'nora'] as const;

/** `moustique_passwd` of `NAME-secret` for each, with few rounds. */
export async function passwordFile(names: readonly string[] = userNames): Promise<string> {
  const { formatPasswordHash, hashPassword } = await import('../../src/security/password-hash.ts');
  const lines = await Promise.all(
    names.map(async (name) => {
      const hash = await hashPassword(Buffer.from(`${name}-secret`), { iterations: 10 });
      return `${name}:${formatPasswordHash(hash)}\n`;
    }),
  );
  return lines.join('');
}

/** A broker whose users vera, otto and ada are viewer, operator and admin; nora has no role. MQTT is open to everybody. */
export async function startWithUsers(resources: Resources, config: readonly string[] = []): Promise<TestBroker> {
  return await startBroker(resources, 'moustique', {
    config: [
      'per_listener_settings true',
      'log_type all',
      ...['http_role viewer vera', 'http_role operator otto', 'http_role admin ada'],
      ...config,
      ...['listener {port} 127.0.0.1', 'allow_anonymous true'],
      ...['listener {http} 127.0.0.1', 'protocol http_api', 'password_file {dir}/passwd'],
    ],
    files: { passwd: await passwordFile() },
  });
}

/** Somebody who is logged in there. */
export async function loggedIn(broker: TestBroker, name: (typeof userNames)[number]): Promise<ConsoleClient> {
  const client = new ConsoleClient(broker.port('http'));
  const answer = await client.logIn(name, `${name}-secret`);
  if (answer.status !== 200) throw new Error(`${name} cannot log in: ${answer.status} ${answer.text}`);
  return client;
}

/** The token of the link in the log. */
export async function linkToken(broker: TestBroker): Promise<string> {
  const pattern = /#\/welcome\?token=([\w-]+)/g;
  const written = (): string => broker.process.stdout + broker.process.stderr;
  const last = (): string | undefined => [...written().matchAll(pattern)].at(-1)?.[1];
  return await waitFor('a link in the log', last);
}
