// Options of V8 for the broker. Whoever sets one of them, on the command line or in NODE_OPTIONS, has the last word.
const v8 = require('node:v8');

const options = `${process.execArgv} ${process.env.NODE_OPTIONS}`;
// A broker's garbage is small and short-lived. Left alone, V8's young generation grows to 48 MB in the first burst of clients
// and stays there: half a megabyte for every hundred of them.
if (!options.includes('semi-space')) v8.setFlagsFromString('--semi-space-growth-factor=1');
// Between two full collections the old generation may grow by one and a half times, not three: what a burst of clients leaves behind
// is a quarter of all the memory of an idle connection. Less growth would cost more collections under load.
if (!options.includes('heap-growing-percent')) v8.setFlagsFromString('--heap-growing-percent=150');
