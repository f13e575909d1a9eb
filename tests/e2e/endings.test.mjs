// Every way a call ends, with our own engine.

import { endings } from './lib/endings.mjs';
import { startServer } from './lib/server.mjs';

endings(startServer);
