// Every way a call ends, with its audio on another server.

import { endings } from './lib/endings.mjs';
import { startWithMediaServer } from './lib/server.mjs';

endings(startWithMediaServer);
