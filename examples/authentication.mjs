// Who may come in, and what they may do: decided by your program.
//
//   npm run build && node examples/authentication.mjs
//   mosquitto_sub -u anne -P secret -t 'users/anne/#' -v
//   mosquitto_pub -u anne -P secret -t users/anne/note -m 'mine'
//   mosquitto_pub -u anne -P secret -t users/bob/note -m 'not mine: nobody gets it'
//   mosquitto_pub -u anne -P guess -t users/anne/note -m 'refused'

import { timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { createBroker, ReasonCode } from 'moustique';

// A real program would keep hashes, and in a database.
const passwords = new Map([
  ['anne', 'secret'],
  ['bob', 'hush'],
]);

const broker = createBroker({
  listeners: [{ port: Number(process.env.PORT ?? 1883), host: '127.0.0.1' }],

  // true, false, a Reason Code, or a promise of one of them. While one client waits, the others are served.
  async authenticate({ username, password, address }) {
    await sleep(5); // as long as a database may take
    const expected = passwords.get(username ?? '');
    if (expected === undefined || password === null || !isSame(password, expected)) {
      console.log(`refused ${username ?? 'somebody without a name'} from ${address}`);
      return { reasonCode: ReasonCode.BadUserNameOrPassword };
    }
    return true;
  },

  // Asked for every message, so it answers at once. `topic` is a Topic Name or, for 'subscribe', a Topic Filter.
  authorize({ username }, action, topic) {
    const isAllowed = topic.startsWith(`users/${username}/`);
    if (!isAllowed) console.log(`denied ${username}: ${action} ${topic}`);
    return isAllowed;
  },
});

const [listener] = await broker.listen();
console.log(`listening on ${listener.url}, stop with Ctrl+C`);
process.once('SIGINT', () => void broker.close());
process.once('SIGTERM', () => void broker.close());

function isSame(password, expected) {
  const bytes = Buffer.from(expected);
  return password.length === bytes.length && timingSafeEqual(password, bytes);
}
