#!/usr/bin/env node
// Publishes messages. Built by `npm run build`.
import '../dist/bin/moustique_pub.js';
