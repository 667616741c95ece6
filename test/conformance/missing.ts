/** Statements that have no test yet, in the order of the register. It only ever gets shorter. */
export const missing: readonly string[] = [
  'v311 MQTT-7.0.0-1',
  'v311 MQTT-7.1.2-1',
];
