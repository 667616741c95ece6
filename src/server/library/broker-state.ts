/** The life of an embedded broker. */

/** `starting` and `closing` last as long as the promises of `listen` and `close`. */
export type BrokerState = 'new' | 'starting' | 'running' | 'closing' | 'closed';

const explanations: Readonly<Record<BrokerState, string>> = {
  new: 'the broker is not running; call listen() first',
  starting: 'the broker is still starting; wait for listen()',
  running: 'the broker is running already',
  closing: 'the broker is closing',
  closed: 'the broker is closed; create another one',
};

/** A method was called at a time when it cannot do what it says. */
export class BrokerStateError extends Error {
  override readonly name = 'BrokerStateError';
  readonly state: BrokerState;

  constructor(method: string, state: BrokerState) {
    super(`${method}(): ${explanations[state]}`);
    this.state = state;
  }
}
