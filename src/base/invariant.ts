/** A mistake of ours: no peer, file or operator may be able to cause one. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/**
 * States what must be true at this place.
 *
 * @throws InvariantViolation - when it is not; the process ends on it (docs/adr/0016)
 */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}
