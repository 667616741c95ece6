#!/usr/bin/env node
// The MQTT broker. Built by `npm run build`.
import '../dist/bin/moustique.js';
