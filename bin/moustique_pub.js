#!/usr/bin/env node
// Publishes messages. Built by `npm run build`.
require('../dist/bin/moustique_pub.cjs');
