/** Every row of the route table with its function. */
import type { Handlers } from '../handler.ts';
import type { HttpServices } from '../services.ts';
import { accessHandlers } from './access.ts';
import { brokerHandlers } from './broker.ts';
import { clientHandlers } from './clients.ts';
import { historyHandlers } from './history.ts';
import { sessionHandlers } from './session.ts';
import { topicHandlers } from './topics.ts';

export function allHandlers(services: HttpServices): Handlers {
  return {
    ...sessionHandlers(services),
    ...brokerHandlers(services),
    ...clientHandlers(services),
    ...accessHandlers(services),
    ...topicHandlers(services),
    ...historyHandlers(services),
    async getOpenApi() {
      const { openApiDocument } = await import('../open-api.ts');
      return Response.json(openApiDocument());
    },
  };
}
