/** Who gets what, and why not. */
import { routeOf } from '../../broker/route.ts';
import { topicFilterOf } from '../../broker/subscribe.ts';
import { AclRules } from '../../security/acl-check.ts';
import { explainAccess } from '../../security/explain-access.ts';
import type { Subscription } from '../../session/subscription.ts';
import { parseTopicFilter } from '../../topics/topic-filter.ts';
import type { HandlersOf } from '../handler.ts';
import { HttpProblem } from '../problem.ts';
import type { HttpServices } from '../services.ts';
import { findTopics } from '../topic-search.ts';

const shownMax = 1000;
const firstTopics = 100;

export function accessHandlers(
  services: HttpServices,
): HandlersOf<'findReceivers' | 'findMatches' | 'explainAccess' | 'listDenials'> {
  const { surroundings, denials } = services;
  const { engine } = surroundings.broker;
  return {
    findReceivers({ query: { topic } }) {
      const { matches } = routeOf(engine, topic);
      const clients = matches.filter(({ session }) => session !== null);
      const groups = matches.filter(({ group }) => group !== null);
      return {
        topic,
        count: matches.length,
        clients: clients.slice(0, shownMax).map((subscription) => {
          const { session, qos } = subscription;
          return {
            clientId: session?.clientId ?? '',
            filter: topicFilterOf(engine, subscription).text,
            qos,
            isConnected: session !== null && session.outlet !== null,
            mayReceive: session === null || session.rights === null || session.rights.decide('receive', topic) > 0,
          };
        }),
        groups: groups.slice(0, shownMax).map((entry) => ({
          name: topicFilterOf(engine, entry).shareName ?? '',
          filter: topicFilterOf(engine, entry).filter,
          members: (entry.group?.members.slice(0, shownMax) ?? []).map((one, index) => ({
            ...member(one),
            taken: entry.group?.turns[index] ?? 0,
          })),
          taken: entry.group?.turns.reduce((sum, turns) => sum + turns, 0) ?? 0,
        })),
        isComplete: clients.length <= shownMax && groups.length <= shownMax,
      };
    },
    async findMatches({ query: { filter } }) {
      const parsed = parseTopicFilter(filter);
      const plain = typeof parsed === 'string' ? filter : parsed.filter;
      const { found, total, retained, isComplete, ratePerSecond } = await findTopics(
        services,
        'wildcard',
        plain,
        firstTopics,
      );
      return {
        filter,
        topics: total,
        retained,
        ratePerSecond,
        first: found,
        isComplete,
      };
    },
    explainAccess({ query: { clientId = '', username = null, topic, action, port } }) {
      const listeners = surroundings.listeners().filter(({ config }) => config.protocol !== 'http_api');
      const listener = port === undefined ? listeners[0] : listeners.find((one) => one.port === port);
      if (listener === undefined) {
        throw new HttpProblem(400, 'invalid-field', `query: port: no MQTT listener has port ${port}`, 'port');
      }
      const answer = explainAccess(listener.rules, { clientId, username, topic, action });
      if (typeof answer === 'string') throw new HttpProblem(400, 'invalid-field', `query: topic: ${answer}`, 'topic');
      const canAllow = !answer.allowed && listener.rules instanceof AclRules && !topic.startsWith('$');
      const access = action === 'write' ? 'write' : 'read';
      return {
        ...answer,
        line: canAllow ? `${username === null ? '' : `user ${username}\n`}topic ${access} ${topic}` : null,
      };
    },
    listDenials: () => ({ items: denials.all, total: denials.all.length }),
  };
}

function member({ session, qos }: Subscription) {
  return { clientId: session?.clientId ?? '', qos, isConnected: session !== null && session.outlet !== null };
}
