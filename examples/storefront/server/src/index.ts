import { createServer } from 'node:http';
import { createApp } from './app.js';
import { config } from './config.js';
import { attachRealtime } from './realtime/notifications.js';

const app = createApp();
const server = createServer(app);
attachRealtime(server);

server.listen(config.port, () => {
  console.log(`storefront ${config.version} listening on ${config.port}`);
});
