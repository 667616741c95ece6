// A service and somebody who asks it, with Response Topic and Correlation Data of MQTT 5.0.
//
//   npm run build && node examples/client/request.mjs mqtt://localhost

import { connect, RequestChannel } from 'moustique/client';

const [url = 'mqtt://localhost'] = process.argv.slice(2);

const service = await connect(url, {
  onMessage: ({ payload, properties: { responseTopic, correlationData } }) => {
    if (responseTopic === undefined) return;
    const properties = correlationData === undefined ? {} : { correlationData };
    void service.publish(responseTopic, payload.toString().toUpperCase(), { properties });
  },
});
await service.subscribe('service/upper');

const client = await connect(url);
const requests = new RequestChannel(client, `responses/${client.clientId}`);
await requests.start();

// Side by side: each gets its own response.
const responses = await Promise.all(['one', 'two', 'three'].map((text) => requests.request('service/upper', text)));
console.log(responses.map(({ payload }) => payload.toString()).join(' '));

await requests.close();
await Promise.all([client.disconnect(), service.disconnect()]);
