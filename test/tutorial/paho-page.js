// Loaded into the page beside Paho's client: what a page of the tutorial does, as functions a test can call.

/* global Paho, window */

const received = [];

/** Connect over ws:// and subscribe; resolves when the broker has granted it. */
window.connectAndSubscribe = (port, clientId, filter) =>
  new Promise((resolve, reject) => {
    const client = new Paho.Client('localhost', port, '/mqtt', clientId);
    window.client = client;
    client.onMessageArrived = (message) => received.push(`${message.destinationName} ${message.payloadString}`);
    client.connect({
      onSuccess: () => client.subscribe(filter, { qos: 1, onSuccess: () => resolve('subscribed'), onFailure: reject }),
      onFailure: (failure) => reject(new Error(failure.errorMessage)),
    });
  });

window.publishFromPage = (topic, payload) => window.client.send(topic, payload, 1, false);

window.receivedLines = () => received;
